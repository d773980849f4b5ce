"""What both Hugging Face families share: prompts become jobs, jobs become batches, batches become option scores."""

from __future__ import annotations

import contextlib
import functools
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

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
from phraseproof.engine.plan import scheduler
from phraseproof.engine.plan.batching import BatchLimit, batch_tokens
from phraseproof.engine.plan.request import Agenda, Job
from phraseproof.engine.plan.scheduler import Schedule
from phraseproof.errors import ModelError
from phraseproof.models.huggingface.chat_template import format_chat
from phraseproof.models.huggingface.executor import OnFinished, WindowScores, run_schedule
from phraseproof.models.huggingface.loaded import Ready
from phraseproof.models.huggingface.requests import Intake, Room, planned_together
from phraseproof.models.huggingface.score_list import ScoreList
from phraseproof.models.huggingface.tokenization import PromptTokenizer, PromptTokens

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from phraseproof.engine.prefix_cache import KeyValuePrefix
    from phraseproof.models.huggingface.checkpoint import Checkpoint

METHODS = ("loglikelihood", "paper")

_LOGITS_A_TOKEN = 16384


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
        self._intake = Intake(self._tokens, checkpoint.name)
        self._adapter_folder = None
        if checkpoint.options.adapter is not None:
            from phraseproof.models.huggingface.adapters import AdapterFolder

            self._adapter_folder = AdapterFolder(checkpoint.options.adapter)
            self._adapter_folder.check_family(encoder_decoder=checkpoint.is_encoder_decoder)

    # ------------------------------------------------------------------------------------------------- capabilities

    @functools.cached_property
    def identity(self) -> ModelIdentity:
        """Name, revision, class, dtype, adapter, and the settings that change scores. Does not load the weights."""
        settings: dict[str, str] = {}
        if (limit := self.context_limit) is not None:
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
    ) -> Sequence[OptionScores]:
        """Score every option of every prompt; the numbers do not depend on how many or which prompts come together.

        `computed_tokens` are those that a prompt takes by itself: padding is not counted, nor is it less where two
        prompts happen to be equal.

        Raises:
            ModelError: an unknown method, a prompt without options, an option without tokens or longer than the
                model's context, memory that runs out on a single prompt, weights or an adapter that cannot be read.
        """
        _require_method(method)
        return self.score_in_batches(prompts, method=method, limit=self._batch_limit, on_done=on_done)

    def stream_scores(
        self,
        prompts: Sequence[Prompt],
        *,
        method: str = "loglikelihood",
        on_scores: Callable[[int, OptionScores | ModelError], None],
    ) -> None:
        """As `score_options`, in the same batches, but hand over each prompt's scores after the batch that ends it.

        Raises:
            ModelError: as `score_options`.
        """
        _require_method(method)
        _require_options(prompts)
        start = 0
        for some in planned_together(prompts):

            def hand_over(scores: WindowScores, finished: Sequence[int], start: int = start) -> None:
                for index in finished:
                    on_scores(start + index, scores.of(index))

            self._score_together(some, method, self._batch_limit, hand_over)
            start += len(some)

    def forecast_tokens(self, prompts: Sequence[Prompt]) -> TokenForecast:
        """Tokens by option, and those that scoring computes. Does not load the weights.

        While they are not loaded, the model is taken for one that can share all that its family can.
        """
        asked = computed = 0
        for some in planned_together(prompts):
            agenda = self._agenda(some, "loglikelihood", check=False)
            asked += sum(agenda.facts(prompt).asked_tokens for prompt in range(len(agenda)))
            computed += sum(self._schedule(agenda.jobs(), BatchLimit()).computed)
        return TokenForecast(asked, computed)

    def generate(self, prompts: Sequence[Prompt], *, max_new_tokens: int, sampling: Sampling = GREEDY) -> list[str]:
        """Continuations without special tokens, stripped of white space at their ends: see `generation.py`.

        Prompts are tokenised as they are; those that leave no room for the new tokens are cut from the left.

        Raises:
            ModelError: a model that cannot generate, no room for the new tokens, memory that runs out on one prompt.
            UsageError: settings out of range.
        """
        from phraseproof.models.huggingface.generation import Writer, write

        encoded = [each for _, each in self._intake.encoded(prompts, "paper")]
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
                expected=f"fewer than {self.context_limit}",
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
        from phraseproof.models.huggingface.hidden_states import Reader

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
        return format_chat(self._checkpoint.tokenizer, messages, model=self._checkpoint.name)

    def self_test(self, prompts: Sequence[Prompt]) -> list[Check]:
        """Whether scores can be trusted: see `self_test.py` for what each check means."""
        from phraseproof.models.huggingface.self_test import run_checks

        _ = self.ready  # weights or an adapter that cannot be loaded are no failed check: they are told as they are
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

    def before_scoring(self) -> HuggingFaceModel:
        """This model, or, where scoring has laid out its weights anew, one whose weights will be read again."""
        return type(self)(self._checkpoint.again()) if "_packed_layers" in vars(self) else self

    def in_float32(self) -> HuggingFaceModel | None:
        """The same model in float32, whose weights are loaded when it first scores; `None` where it is that already."""
        return None if self.dtype == "float32" else type(self)(self._checkpoint.in_float32())

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
    ) -> Sequence[OptionScores]:
        """`score_options` with the size of batches said outright."""
        if not prompts:
            return ScoreList()
        _require_options(prompts)

        def count(_scores: WindowScores, finished: Sequence[int]) -> None:
            if on_done is not None:
                on_done(len(finished))

        found = ScoreList()
        for some in planned_together(prompts):
            scores = self._score_together(some, method, limit, count)
            for index in range(len(scores)):
                found.append(scores.of(index))
            del scores  # before the next prompts are planned: memory does not grow with the number of prompts
        return found

    def _score_together(
        self, prompts: Sequence[Prompt], method: str, limit: BatchLimit, on_finished: OnFinished
    ) -> WindowScores:
        """The scores of prompts that are planned together."""
        logger.debug("%d packed linear layers", self._packed_layers)
        agenda = self._agenda(prompts, method)
        return self._run(agenda, self._schedule(agenda.jobs(), limit), limit, on_finished)

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
        return scheduler.padded(jobs, weights, computed, limit)

    @abstractmethod
    def _score_batch(self, jobs: Sequence[Job], limit: BatchLimit) -> list[list[float]]:
        """Log-probabilities, one list a job, parallel to its options."""

    @abstractmethod
    def _generation_inputs(self, jobs: Sequence[Job]) -> dict[str, Any]:
        """What `generate` takes to go on from these contexts."""

    @property
    @abstractmethod
    def context_limit(self) -> int | None:
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
        from phraseproof.engine.cpu.packed_linear import pack_linear_layers, packing_pays

        if not packing_pays():
            return 0
        from phraseproof.engine.cpu.fused_mlp import fuse_gates

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
        """As asked for, or 1,024 tokens a batch on a CPU and 16,384 on an accelerator."""
        if self._checkpoint.options.batch_size is not None:
            return BatchLimit(items=self._checkpoint.options.batch_size)
        return BatchLimit(tokens=batch_tokens(self._device))

    def row_weight(self, context_tokens: int, scored_tokens: int) -> int:
        """The tokens' worth of memory of a row: its tokens, and its logits where the vocabulary is projected."""
        return context_tokens + scored_tokens * (1 + self._scored_weight)

    @property
    def _scored_weight(self) -> int:
        """The tokens' worth of memory of one token's logits."""
        return int(self._checkpoint.config.get_text_config().vocab_size) // _LOGITS_A_TOKEN

    def _agenda(self, prompts: Sequence[Prompt], method: str, *, check: bool = True) -> Agenda:
        vocabulary = self._vocabulary if check else None
        return self._intake.agenda(prompts, method, Room(self._kept, self.context_limit, vocabulary))

    def _run(
        self, agenda: Agenda, planned: Schedule, limit: BatchLimit, on_finished: OnFinished | None
    ) -> WindowScores:
        def score(batch: Sequence[Job]) -> list[list[float]]:
            return self._free_run(batch) if batch[0].steps else self._score_batch(batch, limit)

        return run_schedule(planned, agenda, score, on_finished)

    def _free_run(self, jobs: Sequence[Job]) -> list[list[float]]:
        """The method `paper`, for a batch of jobs."""
        from phraseproof.models.huggingface.greedy_path import score_along_free_run

        return score_along_free_run(self.ready.network, self._generation_inputs(jobs), jobs, pad_id=self.pad_id)

    @functools.cached_property
    def pad_id(self) -> int:
        """A token to pad with; what it is does not matter, because padding is masked."""
        pad: int | None = self._checkpoint.tokenizer.pad_token_id
        return 0 if pad is None else pad


def _require_method(method: str) -> None:
    if method not in METHODS:
        raise ModelError(f"unknown scoring method '{method}'", expected=f"one of: {', '.join(METHODS)}")


def _require_options(prompts: Sequence[Prompt]) -> None:
    for prompt in prompts:
        if not prompt.options:
            raise ModelError("a prompt without options cannot be scored", got=repr(prompt.text[-60:]))
