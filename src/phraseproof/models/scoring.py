"""What both Hugging Face families share: prompts become jobs, jobs become batches, batches become option scores."""

from __future__ import annotations

import contextlib
import functools
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from phraseproof.core import (
    GREEDY,
    ChatMessage,
    Check,
    ModelIdentity,
    OptionScores,
    Prompt,
    Sampling,
    TokenForecast,
)
from phraseproof.errors import ModelError
from phraseproof.models import schedule
from phraseproof.models.agenda import Agenda, Facts, Job
from phraseproof.models.batching import BatchLimit, run_batches
from phraseproof.models.schedule import Schedule
from phraseproof.models.tokens import PromptTokenizer, PromptTokens

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from phraseproof.models.checkpoint import Checkpoint
    from phraseproof.models.prefix import KeyValuePrefix
    from phraseproof.models.soft_prompt import AttachedAdapter

METHODS = ("loglikelihood", "paper")

MAX_FREE_RUN_STEPS = 32
"""The longest greedy run of the method `paper`, in tokens, as in the paper's released code."""

_BATCH_TOKENS = {"cpu": 1024}
"""On a CPU larger batches gain nothing in the matrix products, and lose to padding where there is any: on the shapes of
`benchmarks/shapes.py` 1,024 tokens without padding took 0.93 times the CPU time of 512, and as much as 2,048."""

_BATCH_TOKENS_ACCELERATOR = 16384
_LOGITS_A_TOKEN = 16384
_PROMPTS_AT_ONCE = 512
_PROMPTS_PLANNED_TOGETHER = 8192


class Ready(NamedTuple):
    """A network in memory, and what its family needs to know of it."""

    network: Any
    adapter: AttachedAdapter | None
    num_parameters: int


class HuggingFaceModel(ABC):
    """A model of either family. Subclasses say how contexts are cut, and how a batch of jobs is run.

    Args:
        checkpoint: what was read of the model; its options say dtype, device, batch size, adapter, maximum length.
    """

    joined: ClassVar[bool]
    """Whether prompt and option are tokenised as one text."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._tokens = PromptTokenizer(checkpoint.tokenizer, joined=self.joined)
        self._adapter_folder = None
        if checkpoint.options.adapter is not None:
            from phraseproof.models.soft_prompt import AdapterFolder

            self._adapter_folder = AdapterFolder(checkpoint.options.adapter)

    # ------------------------------------------------------------------------------------------------- capabilities

    @functools.cached_property
    def identity(self) -> ModelIdentity:
        """Name, revision, class, dtype, adapter, and the settings that change scores. Does not load the weights."""
        settings: dict[str, str] = {}
        if (limit := self._context_limit) is not None:
            settings["max_length"] = str(limit)
        if (attention := self._checkpoint.options.args.get("attn_implementation")) is not None:
            settings["attn_implementation"] = attention
        return ModelIdentity(
            name=self._checkpoint.name,
            revision=self._checkpoint.revision,
            architecture=self._checkpoint.architecture,
            dtype=self._checkpoint.precision.dtype,
            adapter=self._adapter_folder.content_hash if self._adapter_folder else None,
            settings=settings,
        )

    def score_options(
        self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_done: Callable[[int], None] | None = None
    ) -> list[OptionScores]:
        """Score every option of every prompt; the numbers do not depend on how many or which prompts come together.

        `computed_tokens` are those that a prompt takes by itself: padding is not counted, nor is it less where two
        prompts happen to be equal.

        Raises:
            ModelError: an unknown method, a prompt without options, an option without tokens or longer than the
                model's context, memory that runs out on a single prompt, weights or an adapter that cannot be read.
        """
        if method not in METHODS:
            raise ModelError(f"unknown scoring method '{method}'", expected=f"one of: {', '.join(METHODS)}")
        return self.score_in_batches(prompts, method=method, limit=self._batch_limit, on_done=on_done)

    def forecast_tokens(self, prompts: Sequence[Prompt]) -> TokenForecast:
        """Tokens by option, and those that scoring computes. Does not load the weights.

        While they are not loaded, the model is taken for one that can share all that its family can.
        """
        asked = computed = 0
        for some in _windows(prompts):
            agenda = self._agenda(some, "loglikelihood", check=False)
            asked += sum(facts.asked_tokens for facts in agenda.facts)
            computed += sum(self._schedule(agenda.jobs(), BatchLimit()).computed)
        return TokenForecast(asked, computed)

    def generate(self, prompts: Sequence[Prompt], *, max_new_tokens: int, sampling: Sampling = GREEDY) -> list[str]:
        """Continuations without special tokens, stripped of white space at their ends: see `generation.py`.

        Prompts are tokenised as they are; those that leave no room for the new tokens are cut from the left.

        Raises:
            ModelError: a model that cannot generate, no room for the new tokens, memory that runs out on one prompt.
            UsageError: settings out of range.
        """
        from phraseproof.models.generation import Writer, write

        encoded = [each for _, each in self._encoded(prompts, "paper")]
        jobs = [self._writing_job(each, max_new_tokens) for each in encoded]
        writer = Writer(
            self.ready.network, self.tokenizer, self._generation_inputs, self.pad_id, self._writes_in_batches
        )
        return write(writer, prompts, jobs, max_new_tokens=max_new_tokens, sampling=sampling, limit=self._batch_limit)

    def _writing_job(self, encoded: PromptTokens, max_new_tokens: int) -> Job:
        kept = self._kept(len(encoded.context), max_new_tokens)
        if kept < 1:
            raise ModelError(
                "the model's context has no room for so many new tokens",
                expected=f"fewer than {self._context_limit}",
                got=str(max_new_tokens),
            )
        return Job(np.asarray(encoded.context[-kept:], dtype=np.int32), ())

    @property
    def _writes_in_batches(self) -> bool:
        """Whether several prompts may be padded to one length and written on together."""
        return True

    def represent(self, prompts: Sequence[Prompt], *, on_done: Callable[[int], None] | None = None) -> Any:
        """The penultimate layer's state at the first decoded token of each prompt: see `representations.py`.

        Prompts that are too long are cut from the left, as they are for scoring a single token.

        Raises:
            ModelError: a state that is not finite, or memory that runs out on a single prompt.
        """
        from phraseproof.models.representations import Reader

        contexts = [encoded.context for encoded in self._tokens.encode(prompts)]
        kept = [context[-max(1, self._kept(len(context), 1)) :] for context in contexts]
        reader = Reader(self.ready, joined=self.joined, pad_id=self.pad_id, limit=self._batch_limit)
        return reader.read(kept, on_done=on_done)

    @property
    def has_chat_template(self) -> bool:
        """Whether the tokenizer declares a chat template."""
        return bool(self._checkpoint.tokenizer.chat_template)

    def format_chat(self, messages: Sequence[ChatMessage]) -> str:
        """The tokenizer's own chat template's text, its special tokens included, ending where the answer begins.

        Raises:
            ModelError: no template, or one that cannot render these messages.
        """
        from jinja2 import TemplateError

        if not self.has_chat_template:
            raise ModelError(
                f"the model '{self._checkpoint.name}' has no chat template", hint="Use --prompt-format plain"
            )
        try:
            text: str = self._checkpoint.tokenizer.apply_chat_template(
                [message._asdict() for message in messages], tokenize=False, add_generation_prompt=True
            )
        except (TemplateError, ValueError, TypeError, KeyError) as error:
            raise ModelError(
                f"the chat template of '{self._checkpoint.name}' cannot render the prompt", got=str(error)
            ) from error
        return text

    def self_test(self, prompts: Sequence[Prompt]) -> list[Check]:
        """Whether scores can be trusted: see `self_test.py` for what each check means."""
        from phraseproof.models.self_test import run_checks

        return run_checks(self, [prompt for prompt in prompts if prompt.options])

    # ------------------------------------------------------------------------------------- what the self-test looks at

    @property
    def tokenizer(self) -> Any:
        """The Hugging Face tokenizer."""
        return self._checkpoint.tokenizer

    @property
    def dtype(self) -> str:
        """The precision of the weights, by name."""
        return self._checkpoint.precision.dtype

    @property
    def context_limit(self) -> int | None:
        """The most tokens of input, or `None` where nothing sets a limit."""
        return self._context_limit

    @property
    def num_parameters(self) -> int:
        """How many parameters the model has, an adapter's not counted. Loads the weights."""
        return self.ready.num_parameters

    @property
    def has_adapter(self) -> bool:
        """Whether an adapter was asked for."""
        return self._adapter_folder is not None

    @property
    def way(self) -> str:
        """How scores are computed, for the record: by which path, on which linear layers."""
        packed = self._packed_layers
        return f"{self._path}; {f'{packed} linear layers packed' if packed else 'plain linear layers'}"

    @contextlib.contextmanager
    def adapter_off(self) -> Generator[None]:
        """Score with the base model alone for a while."""
        adapter = self.ready.adapter
        with adapter.off() if adapter is not None else contextlib.nullcontext():
            yield

    def encode(self, prompts: Sequence[Prompt]) -> list[PromptTokens]:
        """The tokens that `loglikelihood` scores."""
        return self._tokens.encode(prompts)

    def score_in_batches(
        self,
        prompts: Sequence[Prompt],
        *,
        method: str,
        limit: BatchLimit,
        on_done: Callable[[int], None] | None = None,
    ) -> list[OptionScores]:
        """`score_options` with the size of batches said outright."""
        if not prompts:
            return []
        for prompt in prompts:
            if not prompt.options:
                raise ModelError("a prompt without options cannot be scored", got=repr(prompt.text[-60:]))
        logger.debug("%d packed linear layers", self._packed_layers)
        scores: list[OptionScores] = []
        for some in _windows(prompts):
            agenda = self._agenda(some, method)
            planned = self._schedule(agenda.jobs(), limit)
            results = self._run(agenda, planned, limit, on_done)
            computed = agenda.per_prompt(planned.computed)
            scores += [
                OptionScores(
                    tuple(results[job][option] for job, option in places),
                    facts.prompt_tokens,
                    tokens,
                    facts.truncated,
                    facts.asked_tokens,
                )
                for places, facts, tokens in zip(agenda.places, agenda.facts, computed, strict=True)
            ]
        return scores

    # -------------------------------------------------------------------------------------------- what a family says

    @abstractmethod
    def _kept(self, context_tokens: int, option_tokens: int) -> int:
        """How many of a context's last tokens fit together with an option; below 1 when the option alone does not."""

    @abstractmethod
    def _computed(self, context_tokens: int, options: Sequence[tuple[int, ...]]) -> int:
        """The tokens to run for one context and these options, beside virtual tokens."""

    @property
    def _path(self) -> str:
        """In a few words, how batches are run."""
        return "padded batches"

    @property
    def _attention_is_chosen(self) -> bool:
        """Whether the user asked for an implementation of attention, which packing would put aside."""
        return "attn_implementation" in self._checkpoint.options.args

    def _schedule(self, jobs: Sequence[Job], limit: BatchLimit) -> Schedule:
        """Order and batches of a call's jobs: by default padded, with nothing shared between contexts."""
        weights = [self.row_weight(len(job.context), 1) for job in jobs]
        # A free run reads its context and all its own tokens but the last.
        runs = [(job.options[0][: job.steps],) if job.steps else job.options for job in jobs]
        computed = [
            self._virtual_tokens + self._computed(len(job.context), run) for job, run in zip(jobs, runs, strict=True)
        ]
        return schedule.padded(jobs, weights, computed, limit)

    @abstractmethod
    def _score_batch(self, jobs: Sequence[Job], limit: BatchLimit) -> list[list[float]]:
        """Log-probabilities, one list a job, parallel to its options."""

    @abstractmethod
    def _generation_inputs(self, jobs: Sequence[Job]) -> dict[str, Any]:
        """What `generate` takes to go on from these contexts."""

    @property
    @abstractmethod
    def _context_limit(self) -> int | None:
        """The most tokens of input, or `None` where nothing sets a limit."""

    # ------------------------------------------------------------------------------------------------------- the rest

    @functools.cached_property
    def ready(self) -> Ready:
        """The network, loaded on first use, with its adapter."""
        network = self._checkpoint.load_network()
        # Before an adapter adds its own, and before layers are packed.
        parameters = sum(parameter.numel() for parameter in network.parameters())
        adapter = self._adapter_folder.attach(network) if self._adapter_folder else None
        return Ready(network, adapter, parameters)

    @functools.cached_property
    def _packed_layers(self) -> int:
        """How many linear layers are packed for scoring: done on first asking, on CPUs where it pays."""
        network = self.ready.network
        if self._device != "cpu":
            return 0
        from phraseproof.models.packed_linear import pack_linear_layers, packing_pays

        if not packing_pays():
            return 0
        from phraseproof.models.fused_gate import fuse_gates

        packed = pack_linear_layers(network)
        fuse_gates(network)
        return packed

    @property
    def _virtual_tokens(self) -> int:
        """Tokens of a soft prompt at the input, which are computed with every prompt."""
        if "ready" not in vars(self):
            return 0 if self._adapter_folder is None else self._adapter_folder.room.virtual
        adapter = self.ready.adapter
        return 0 if adapter is None or adapter.virtual is None else int(adapter.virtual.shape[0])

    @property
    def _prefix(self) -> KeyValuePrefix | None:
        """A soft prompt in every layer, whose keys and values are there before anything is computed."""
        adapter = self.ready.adapter
        return None if adapter is None else adapter.prefix

    @property
    def _prefix_tokens(self) -> int:
        if "ready" not in vars(self):
            return 0 if self._adapter_folder is None else self._adapter_folder.room.prefix
        return 0 if self._prefix is None else self._prefix.count

    @functools.cached_property
    def _vocabulary(self) -> int:
        return int(self.ready.network.get_input_embeddings().weight.shape[0])

    @property
    def _device(self) -> str:
        return self._checkpoint.precision.device

    @property
    def _batch_limit(self) -> BatchLimit:
        """As asked for, or 512 tokens a batch on a CPU and 16,384 on an accelerator."""
        if self._checkpoint.options.batch_size is not None:
            return BatchLimit(items=self._checkpoint.options.batch_size)
        return BatchLimit(tokens=_BATCH_TOKENS.get(self._device.partition(":")[0], _BATCH_TOKENS_ACCELERATOR))

    def row_weight(self, context_tokens: int, scored_tokens: int) -> int:
        """The tokens' worth of memory of a row: its tokens, and its logits where the vocabulary is projected."""
        return context_tokens + scored_tokens * (1 + self._scored_weight)

    @property
    def _scored_weight(self) -> int:
        """The tokens' worth of memory of one token's logits."""
        return int(self._checkpoint.config.get_text_config().vocab_size) // _LOGITS_A_TOKEN

    def _encoded(self, prompts: Sequence[Prompt], method: str) -> Iterator[tuple[Prompt, PromptTokens]]:
        encode = self._tokens.encode if method == "loglikelihood" else self._tokens.encode_apart
        for start in range(0, len(prompts), _PROMPTS_AT_ONCE):
            some = prompts[start : start + _PROMPTS_AT_ONCE]
            yield from zip(some, encode(some), strict=True)

    def _agenda(self, prompts: Sequence[Prompt], method: str, *, check: bool = True) -> Agenda:
        agenda = Agenda()
        for prompt, encoded in self._encoded(prompts, method):
            context, options = encoded.context, encoded.options
            if check:
                self._check_tokens(prompt, encoded)
            steps = min(MAX_FREE_RUN_STEPS, *map(len, options)) if method == "paper" else 0
            places: list[tuple[int, int]] = [(0, 0)] * len(options)
            cut = 0
            for kept, indices in self._by_kept(prompt, encoded, steps).items():
                these = [options[index] for index in indices]
                for index, place in zip(indices, agenda.find(context[-kept:], these, steps=steps), strict=True):
                    places[index] = place
                cut = max(cut, len(context) - kept)
            agenda.places.append(places)
            asked = len(context) * len(options) + sum(map(len, options))
            agenda.facts.append(Facts(len(context), cut, asked))
        return agenda

    def _check_tokens(self, prompt: Prompt, encoded: PromptTokens) -> None:
        for option, tokens in zip(prompt.options, encoded.options, strict=True):
            if not tokens:
                end = prompt.text[-30:]
                raise ModelError(f"the option {option!r} has no tokens of its own after the prompt ending in {end!r}")
        if max(*encoded.context, *(max(option) for option in encoded.options)) >= self._vocabulary:
            raise ModelError(
                f"the tokenizer of '{self._checkpoint.name}' has tokens that the model has no embedding for",
                expected=f"ids below {self._vocabulary}",
            )

    def _by_kept(self, prompt: Prompt, encoded: PromptTokens, steps: int) -> dict[int, list[int]]:
        """Options by how much of the context is kept for them: all the same, unless the prompt is cut."""
        groups: dict[int, list[int]] = {}
        for index, option in enumerate(encoded.options):
            kept = self._kept(len(encoded.context), steps or len(option))
            if kept < 1:
                raise ModelError(
                    f"the option {prompt.options[index][:60]!r} is longer than the model's context",
                    expected=f"at most {self._context_limit} tokens",
                    got=f"{len(option)} tokens",
                )
            groups.setdefault(kept, []).append(index)
        return groups

    def _run(
        self, agenda: Agenda, planned: Schedule, limit: BatchLimit, on_done: Callable[[int], None] | None
    ) -> list[list[float]]:
        import torch
        from accelerate.utils.memory import (
            clear_device_cache,
            should_reduce_batch_size,  # pyright: ignore[reportUnknownVariableType]
        )

        jobs, users = planned.jobs, agenda.users()
        waiting = [len({job for job, _ in places}) for places in agenda.places]
        results: list[list[float]] = [[] for _ in jobs]

        def run(batch: Sequence[int]) -> list[list[float]]:
            with torch.inference_mode():
                chosen = [jobs[index] for index in batch]
                return self._free_run(chosen) if chosen[0].steps else self._score_batch(chosen, limit)

        for batch, found in run_batches(
            planned.batches, planned.weights, run, out_of_memory=should_reduce_batch_size, release=clear_device_cache
        ):
            finished = 0
            for job, logprobs in zip(batch, found, strict=True):
                results[job] = logprobs
                for index in users[job]:
                    waiting[index] -= 1
                    finished += waiting[index] == 0
            if on_done is not None and finished:
                on_done(finished)
        return results

    def _free_run(self, jobs: Sequence[Job]) -> list[list[float]]:
        """The method `paper`, for a batch of jobs."""
        from phraseproof.models.free_run import score_along_free_run

        return score_along_free_run(self.ready.network, self._generation_inputs(jobs), jobs, pad_id=self.pad_id)

    @functools.cached_property
    def pad_id(self) -> int:
        """A token to pad with; what it is does not matter, because padding is masked."""
        pad: int | None = self._checkpoint.tokenizer.pad_token_id
        return 0 if pad is None else pad


def _windows(prompts: Sequence[Prompt]) -> Iterator[Sequence[Prompt]]:
    """Prompts in runs that are planned together, so that memory does not grow with their number."""
    for start in range(0, len(prompts), _PROMPTS_PLANNED_TOGETHER):
        yield prompts[start : start + _PROMPTS_PLANNED_TOGETHER]
