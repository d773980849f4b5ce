"""From prompts to written texts: each distinct text once, handed over as soon as it is complete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from phraseproof.core import OptionScores, Prompt, Sampling
from phraseproof.engine.plan.batching import BatchLimit
from phraseproof.engine.plan.request import Request
from phraseproof.errors import ModelError
from phraseproof.models.huggingface.backend import Backend
from phraseproof.models.huggingface.generation import (
    GeneratedText,
    GenerationSetup,
    check_sampling,
    request_to_continue,
    seed_of,
    write,
)
from phraseproof.models.huggingface.loaded import LazyNetwork
from phraseproof.models.huggingface.requests import RequestBuilder, planning_windows
from phraseproof.models.huggingface.tokenization import PromptTokenizer, PromptTokens
from phraseproof.models.streamed_scores import OnScores


class _Text(NamedTuple):
    """A distinct text of a call, and who waits for it.

    Attributes:
        request: the context to continue.
        seed: of its random numbers.
        prompts: the numbers of its prompts; the first of them counts what was computed.
    """

    request: Request
    seed: int
    prompts: list[int]


class AnswerWriter:
    """Writes texts with one model.

    Args:
        weights: the network, loaded when something is written.
        backend: how its family computes.
        builder: tokenises prompts.
        tokenizer: for remarks on prompts, and for texts.
        limit: how large a batch may grow.
    """

    def __init__(
        self,
        weights: LazyNetwork,
        backend: Backend,
        builder: RequestBuilder,
        tokenizer: PromptTokenizer,
        limit: BatchLimit,
    ) -> None:
        self._weights, self._backend = weights, backend
        self._builder, self._tokenizer = builder, tokenizer
        self._limit = limit

    def write(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        samplings: Sequence[Sampling],
        stop: Sequence[str],
        on_scores: OnScores,
    ) -> None:
        """Hand over one text per prompt; equal prompts with equal sampling share one.

        Raises:
            ModelError: a model that cannot generate, no room for the new tokens, memory that runs out on one prompt.
            UsageError: settings out of range.
        """
        for sampling in dict.fromkeys(samplings):
            check_sampling(sampling, max_new_tokens)
        start = 0
        for some in planning_windows(prompts):

            def hand_over(index: int, scores: OptionScores | ModelError, start: int = start) -> None:
                on_scores(start + index, scores)

            self._write_window(some, samplings[start : start + len(some)], max_new_tokens, stop, hand_over)
            start += len(some)

    def _write_window(
        self,
        prompts: Sequence[Prompt],
        samplings: Sequence[Sampling],
        max_new_tokens: int,
        stop: Sequence[str],
        on_scores: OnScores,
    ) -> None:
        encoded = [tokens for _, tokens in self._builder.encoded(prompts, "paper")]
        by_sampling: dict[Sampling, dict[tuple[bytes, int], _Text]] = {}
        for index, (prompt, tokens, sampling) in enumerate(zip(prompts, encoded, samplings, strict=True)):
            if max(tokens.context) >= self._weights.vocabulary_size:
                on_scores(index, self._builder.no_embedding(self._weights.vocabulary_size))
                continue
            request = request_to_continue(
                tokens.context, max_new_tokens, kept=self._backend.kept, limit=self._backend.context_limit
            )
            seed = seed_of(sampling.seed, prompt.text) if sampling.temperature > 0 else 0
            # Seeds only matter where something is drawn: then texts of other repeats are other texts.
            shared = Sampling(sampling.temperature, sampling.top_p, 0, sampling.top_k)
            texts = by_sampling.setdefault(shared, {})
            key = (request.context.tobytes(), seed)
            texts.setdefault(key, _Text(request, seed, [])).prompts.append(index)
        for sampling, texts in by_sampling.items():
            self._write_texts(
                list(texts.values()),
                max_new_tokens,
                sampling,
                stop,
                lambda text, written: self._hand_over(text, written, encoded, on_scores),
            )

    def _write_texts(
        self,
        texts: Sequence[_Text],
        max_new_tokens: int,
        sampling: Sampling,
        stop: Sequence[str],
        on_text: Callable[[_Text, GeneratedText], None],
    ) -> None:
        setup = GenerationSetup(
            self._weights.network,
            self._tokenizer.tokenizer,
            self._backend.generation_inputs,
            self._backend.pad_id,
            self._backend.generates_in_batches,
        )
        write(
            setup,
            [text.seed for text in texts],
            [text.request for text in texts],
            max_new_tokens=max_new_tokens,
            sampling=sampling,
            stop=stop,
            limit=self._limit,
            on_written=lambda index, written: on_text(texts[index], written),
        )

    def _hand_over(
        self, text: _Text, written: GeneratedText, encoded: Sequence[PromptTokens], on_scores: OnScores
    ) -> None:
        size = len(text.request.context)
        # The last token of a text is only predicted, never read; a decoder reads its start token as well.
        read = max(0, written.tokens - 1) + (0 if self._backend.is_decoder_only else 1)
        for place, index in enumerate(text.prompts):
            context = encoded[index].context
            scores = OptionScores(
                (),
                prompt_tokens=len(context),
                computed_tokens=size + read if place == 0 else 0,
                truncated=len(context) - size,
                asked_tokens=len(context) + read,
                remarks=self._tokenizer.remarks(PromptTokens(context, ())),
                text=written.text,
            )
            on_scores(index, scores)
