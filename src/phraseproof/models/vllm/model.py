"""A model in vLLM: prompts become tokens by the rules of local models, and vLLM computes them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence

from phraseproof.core import (
    GREEDY,
    Check,
    CutText,
    ModelIdentity,
    OptionScores,
    Prompt,
    Sampling,
    TokenForecast,
)
from phraseproof.engine.plan.batching import BatchLimit
from phraseproof.engine.plan.prefix_tree import order_by_prefix, token_trie
from phraseproof.engine.plan.request import DeduplicatedRequests, Request
from phraseproof.errors import ModelError
from phraseproof.models.huggingface.chat_template import ChatTemplate, FormatsWithTemplate
from phraseproof.models.huggingface.checkpoint import Checkpoint
from phraseproof.models.huggingface.requests import BuiltRequests, ContextWindow, RequestBuilder, planning_windows
from phraseproof.models.huggingface.self_test import SelfTestSubject, run_checks
from phraseproof.models.huggingface.tokenization import PromptTokenizer
from phraseproof.models.options import ModelOptions
from phraseproof.models.score_list import ScoreList
from phraseproof.models.streamed_scores import OnScores, collect_scores, require_options
from phraseproof.models.vllm.adapter import VllmAdapter
from phraseproof.models.vllm.engine import CPU_BLOCK, Engine
from phraseproof.models.vllm.option_questions import RequestAnswer, score_requests

_MOST_TOGETHER = 256
"""The largest number of distinct prompts in one call of the engine: their scores are handed over after it."""


class VllmModel(FormatsWithTemplate):
    """A decoder-only model that vLLM computes.

    Prompts, options and chat templates are handled as those of Hugging Face models, so that scores can be compared.

    Args:
        checkpoint: configuration and tokenizer.
        engine: vLLM.
        options: as resolved by `vllm.load`.
        adapter: the one that the engine uses.
    """

    def __init__(
        self, checkpoint: Checkpoint, engine: Engine, options: ModelOptions, adapter: VllmAdapter | None = None
    ) -> None:
        self._checkpoint = checkpoint
        self._engine = engine
        self._options = options
        self._adapter = adapter
        self._chat = ChatTemplate(checkpoint.tokenizer, options, model=checkpoint.name)
        self._tokenizer = PromptTokenizer(checkpoint.tokenizer, joined=True)
        self._builder = RequestBuilder(self._tokenizer, checkpoint.name)

    @functools.cached_property
    def _known(self) -> ModelIdentity:
        settings = {"engine": f"vllm {self._engine.version}", **self._chat.settings}
        if self._options.max_length is not None:
            settings["max_length"] = str(self._options.max_length)
        return ModelIdentity(
            name=self._checkpoint.name,
            revision=self._checkpoint.revision,
            architecture=self._checkpoint.architecture,
            dtype=self._checkpoint.precision.dtype,
            adapter=None if self._adapter is None else self._adapter.content_hash,
            settings=settings,
        )

    @property
    def identity(self) -> ModelIdentity:
        """Name, revision, class, dtype, adapter, vLLM's version. Does not start vLLM."""
        return self._known

    @property
    def weight_bytes(self) -> int | None:
        """The size of the files that hold the weights; `None` for a hub id."""
        return self._checkpoint.weight_bytes

    @property
    def device(self) -> str:
        """The devices, as torch names them, separated by commas: several with tensor parallelism."""
        kind = self._checkpoint.precision.device.partition(":")[0]
        count = int(self._options.args.get("tensor_parallel_size", "1"))
        return kind if kind == "cpu" else ",".join(f"{kind}:{index}" for index in range(count))

    def score_options(
        self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_done: Callable[[int], None] | None = None
    ) -> Sequence[OptionScores]:
        """Score every option of every prompt.

        `computed_tokens` are those that vLLM computed, by its own count of what it found in its cache.

        Raises:
            ModelError: the method `paper`, which vLLM cannot compute; a prompt without options, an option that cannot
                be scored, an engine that fails.
        """
        return collect_scores(self.stream_scores, prompts, ScoreList(), method=method, on_done=on_done)

    def stream_scores(
        self,
        prompts: Sequence[Prompt],
        *,
        method: str = "loglikelihood",
        on_scores: OnScores,
    ) -> None:
        """As `score_options`, but hand over each prompt's scores when they are known.

        Raises:
            ModelError: as `score_options`, except for single prompts that cannot be scored.
        """
        _check(prompts, method)
        start = 0
        for some in planning_windows(prompts):
            window = ContextWindow(self._kept, self._limit, self._engine.vocabulary_size)
            built = self._builder.build(some, method, window)
            for index, error in built.refused.items():
                on_scores(start + index, error)
            for index, scores in self._score(built):
                on_scores(start + index, scores)
            start += len(some)

    def count_tokens(self, prompts: Sequence[Prompt]) -> list[int]:
        """The number of tokens of each prompt, special tokens included. Does not start vLLM."""
        return self._tokenizer.count(prompts)

    def forecast_tokens(self, prompts: Sequence[Prompt]) -> TokenForecast:
        """The tokens of one pass per option, and those of one pass per prompt and its options. Does not start vLLM."""
        asked = computed = 0
        for some in planning_windows(prompts):
            built = self._builder.build(some, "loglikelihood", ContextWindow(lambda size, _: size, None, None))
            for error in built.refused.values():
                raise error
            requests = built.requests.distinct()
            asked += sum(built.requests.facts(index).asked_tokens for index in range(len(built.requests)))
            order = order_by_prefix([request.context for request in requests])
            computed += sum(len(request.context) for request in requests) - sum(order.shared)
            computed += self._engine.virtual_tokens if requests else 0
            computed += sum(len(token_trie(request.options).tokens) for request in requests)
        return TokenForecast(asked, computed)

    def generate(self, prompts: Sequence[Prompt], *, max_new_tokens: int, sampling: Sampling = GREEDY) -> list[str]:
        """Continuations without special tokens, stripped of white space at their ends.

        Raises:
            ModelError: no room for the new tokens, or an engine that fails.
        """
        room = self._engine.longest - self._engine.virtual_tokens - max_new_tokens
        if room < 1:
            raise ModelError(
                "there is no room for the text that is to be written",
                expected=f"fewer than {self._engine.longest - self._engine.virtual_tokens} tokens",
                got=f"{max_new_tokens}",
            )
        contexts = [encoded.context[-room:] for _, encoded in self._builder.encoded(prompts, "paper")]
        written = self._engine.write(contexts, max_new_tokens=max_new_tokens, sampling=sampling)
        return [CutText(text) if cut else text for text, cut in written]

    def self_test(self, prompts: Sequence[Prompt]) -> list[Check]:
        """The checks of Hugging Face models, and that vLLM's prefix cache is used.

        Raises:
            ModelError: vLLM cannot be started.
        """
        usable = [prompt for prompt in prompts if prompt.options]
        subject = SelfTestSubject(
            tokenizer=self._checkpoint.tokenizer,
            closing=self._tokenizer.closing,
            dtype=self._checkpoint.precision.dtype,
            adapter=None,
            encode=self._tokenizer.encode,
            executor=_Scorer(self),
        )
        checks = run_checks(subject, usable)
        if usable:
            longest = max(usable, key=lambda prompt: len(prompt.text))
            again = self.score_options([longest])[0]
            virtual = self._engine.virtual_tokens
            used = again.computed_tokens < again.asked_tokens + virtual * len(longest.options)
            said = f"the longest prompt, scored again: {again.computed_tokens} of {again.asked_tokens} tokens computed"
            checks.append(Check("prefix cache", used or again.prompt_tokens < 2 * CPU_BLOCK, said))
        return checks

    @property
    def scoring_path(self) -> str:
        """How scores are computed, for the record."""
        return f"vLLM {self._engine.version}: one generated token per node of the options' trie, prefix cache on"

    @property
    def _limit(self) -> int:
        return self._engine.longest - 1

    def _kept(self, context_tokens: int, option_tokens: int) -> int:
        # An option's last token is only predicted, never read.
        return min(context_tokens, self._limit - self._engine.virtual_tokens - (option_tokens - 1))

    def _score(self, built: BuiltRequests) -> Iterator[tuple[int, OptionScores]]:
        """The scores of each prompt that was not refused, when all its requests are answered."""
        requests, prompts = built.requests.distinct(), built.requests
        answers: dict[int, RequestAnswer] = {}
        users = prompts.users()
        waiting = [len(prompts.waits_for(index)) for index in range(len(prompts))]
        counted: set[int] = set()
        for some in self._together(requests):
            for number, answer in zip(some, score_requests(self._engine, [requests[n] for n in some]), strict=True):
                answers[number] = answer
                for index in users[number]:
                    waiting[index] -= 1
                    if waiting[index] == 0:
                        yield index, _of(prompts, index, answers, counted)

    def _together(self, requests: Sequence[Request]) -> Iterator[list[int]]:
        """Requests by their beginnings, in groups that fit twice into the cache."""
        order = order_by_prefix([request.context for request in requests]).indices
        room = self._engine.cache_tokens // 2
        group: list[int] = []
        tokens = 0
        for number in order:
            size = len(requests[number].context) + sum(map(len, requests[number].options))
            size += self._engine.virtual_tokens
            if group and (len(group) >= _MOST_TOGETHER or tokens + size > room):
                yield group
                group, tokens = [], 0
            group.append(number)
            tokens += size
        if group:
            yield group


class _Scorer:
    """What the self-test of Hugging Face models calls."""

    def __init__(self, model: VllmModel) -> None:
        self._model = model

    def score(self, prompts: Sequence[Prompt], *, limit: BatchLimit) -> Sequence[OptionScores]:  # noqa: ARG002 - vLLM sizes batches
        return self._model.score_options(prompts)

    def scoring_path(self) -> str:
        return self._model.scoring_path


def _of(
    prompts: DeduplicatedRequests, index: int, answers: dict[int, RequestAnswer], counted: set[int]
) -> OptionScores:
    """A prompt's scores. Tokens of a request count for the first prompt that is finished with it."""
    places = prompts.places(index)
    new = {request for request, _ in places} - counted
    counted |= new
    facts = prompts.facts(index)
    return OptionScores(
        tuple(answers[request].logprobs[option] for request, option in places),
        facts.prompt_tokens,
        sum(answers[request].computed for request in new),
        facts.truncated,
        facts.asked_tokens,
        prompts.option_tokens(places),
        facts.remarks,
    )


def _check(prompts: Sequence[Prompt], method: str) -> None:
    if method != "loglikelihood":
        raise ModelError(
            f"vLLM cannot compute the scoring method '{method}'",
            expected="loglikelihood",
            hint="Leave out 'vllm/' to load the model with Hugging Face transformers",
        )
    require_options(prompts)
