"""From prompts to written texts: each distinct text once, handed over as soon as it is complete.

Texts are written in the engine where the network can be packed. transformers' `generate` writes the others, and alone
every text in which a token led by so little that rounding, which depends on what is computed together, might have
chosen it. So in float32 a text does not depend on the other texts of a call.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from accelerate.utils.memory import (
    clear_device_cache,
    should_reduce_batch_size,  # pyright: ignore[reportUnknownVariableType]
)

from phraseproof.core import OptionScores, Prompt, Sampling
from phraseproof.engine.cpu.half_products import rounding_of
from phraseproof.engine.cpu.heap import trim_heap
from phraseproof.engine.generation.token_choice import RoundingTies, TokenChooser
from phraseproof.engine.generation.writing import Room, write_texts
from phraseproof.engine.plan.batching import BatchLimit, batch_tokens
from phraseproof.engine.plan.request import Request
from phraseproof.errors import ModelError
from phraseproof.models.huggingface.backend import Backend, TextWriting
from phraseproof.models.huggingface.generation import (
    GeneratedText,
    GenerationSetup,
    ModelChoices,
    TextSettings,
    as_written,
    check_sampling,
    end_tokens,
    generate_texts,
    generation_config,
    has_stopped,
    model_choices,
    own_stop_strings,
    seed_of,
)
from phraseproof.models.huggingface.loaded import LazyNetwork
from phraseproof.models.huggingface.requests import RequestBuilder, planning_windows
from phraseproof.models.huggingface.tokenization import PromptTokenizer, PromptTokens
from phraseproof.models.huggingface.ways import one_line_refusals
from phraseproof.models.streamed_scores import OnScores

_TEXTS_ON_CPU, _TEXTS_ELSEWHERE = 96, 256
"""Texts that are written at once. On a CPU, 96 are some 8% faster per token than 48, and 128 no faster."""

_TRIMMED_EVERY = 256
"""Texts after which freed memory is returned: caches of many sizes leave pieces that add up over a long run."""

_LEAST_CACHE_BYTES = 2**29
"""Keys and values of texts that are being written may take this much memory, or a quarter of the weights' size."""


class _Text(NamedTuple):
    """A distinct text of a call, and who waits for it.

    Attributes:
        request: the context to continue; its `steps` is the maximum number of new tokens.
        seed: of its random numbers.
        prompts: the numbers of its prompts; the first of them counts what was computed.
    """

    request: Request
    seed: int
    prompts: list[int]


class _Done(NamedTuple):
    """A text, and how many tokens of its context were computed for it."""

    written: GeneratedText
    computed: int


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
        # Before anything else: which ways a network can take is tried on the layers that will be used.
        self._weights.pack_layers()
        network = self._weights.network
        if not network.can_generate():
            raise ModelError("the model cannot generate text", got=type(network).__name__)
        stop = tuple(dict.fromkeys((*stop, *own_stop_strings(network))))
        start = 0
        for some in planning_windows(prompts):

            def hand_over(index: int, scores: OptionScores | ModelError, start: int = start) -> None:
                on_scores(start + index, scores)

            self._write_window(some, samplings[start : start + len(some)], max_new_tokens, stop, hand_over)
            trim_heap()
            start += len(some)

    def path(self) -> str:
        """How texts are written, for the record. Loads the weights."""
        self._weights.pack_layers()
        if self._backend.text_writing is None:
            return "transformers' generate, " + ("batches" if self._backend.generates_in_batches else "one by one")
        return "one token of every text per pass, without padding" + (
            ", shared beginnings read once" if self._backend.is_decoder_only else ", contexts encoded once"
        )

    def _write_window(
        self,
        prompts: Sequence[Prompt],
        samplings: Sequence[Sampling],
        most: int,
        stop: Sequence[str],
        on_scores: OnScores,
    ) -> None:
        encoded = [tokens for _, tokens in self._builder.encoded(prompts, "paper")]
        by_sampling: dict[Sampling, dict[tuple[bytes, int], _Text]] = {}
        for index, (prompt, tokens, sampling) in enumerate(zip(prompts, encoded, samplings, strict=True)):
            if max(tokens.context) >= self._weights.vocabulary_size:
                on_scores(index, self._builder.no_embedding(self._weights.vocabulary_size))
                continue
            request = self._request(tokens.context, most)
            seed = seed_of(sampling.seed, prompt.text) if sampling.temperature > 0 else 0
            # Seeds only matter where something is drawn: then texts of other repeats are other texts.
            texts = by_sampling.setdefault(dataclasses.replace(sampling, seed=0), {})
            texts.setdefault((request.context.tobytes(), seed), _Text(request, seed, [])).prompts.append(index)
        for sampling, of_sampling in by_sampling.items():
            texts = list(of_sampling.values())
            settings = TextSettings(most, sampling, stop, [text.seed for text in texts])
            with one_line_refusals(self._weights.network):
                for count, (number, done) in enumerate(self._write_texts([text.request for text in texts], settings)):
                    self._hand_over(texts[number], done, encoded, on_scores)
                    if count % _TRIMMED_EVERY == _TRIMMED_EVERY - 1:
                        trim_heap()

    def _request(self, context: Sequence[int], most: int) -> Request:
        """A context, cut from the left where the new tokens would not fit."""
        size = self._backend.kept(len(context), most)
        if size < 1:
            raise ModelError(
                "the model's context has no room for this number of new tokens",
                expected=f"fewer than {self._backend.context_limit}",
                got=str(most),
            )
        return Request(np.asarray(context[-size:], dtype=np.int32), (), steps=most)

    def _write_texts(self, requests: Sequence[Request], settings: TextSettings) -> Iterator[tuple[int, _Done]]:
        """The texts of some contexts with their numbers, in the order of completion."""
        backend, network = self._backend, self._weights.network
        setup = GenerationSetup(
            network, self._tokenizer.tokenizer, backend.generation_inputs, backend.pad_id, backend.generates_in_batches
        )
        in_engine = [number for number, request in enumerate(requests) if backend.writes_in_engine(request)]
        writing = backend.text_writing if in_engine else None
        # In half precision near-ties are too many to write their texts again.
        ties = RoundingTies(settings.sampling.temperature or 1.0) if rounding_of(network) == torch.float32 else None
        alone: list[int] = []
        if writing is not None:
            choices = model_choices(setup, generation_config(setup, settings), requests[in_engine[0]])
            if choices.can_be_followed:
                for number, done in self._in_engine(setup, writing, choices, in_engine, requests, settings, ties):
                    if done is None:
                        alone.append(number)
                    else:
                        yield number, done
            else:
                in_engine = []
        others = sorted({*range(len(requests))} - {*in_engine})
        for texts, limit in ((others, self._limit), (alone, BatchLimit(items=1))):
            for number, written in generate_texts(setup, texts, requests, settings, limit=limit, ties=ties):
                yield number, _Done(written, len(requests[number].context))

    def _in_engine(
        self,
        setup: GenerationSetup,
        writing: TextWriting,
        choices: ModelChoices,
        texts: Sequence[int],
        requests: Sequence[Request],
        settings: TextSettings,
        ties: RoundingTies | None,
    ) -> Iterator[tuple[int, _Done | None]]:
        """As `_write_texts`; `None` for a text that is to be written alone."""
        config, tokenizer = choices.config, setup.tokenizer
        ends = end_tokens(config)

        def processors(place: int) -> ModelChoices:
            return model_choices(setup, generation_config(setup, settings), requests[texts[place]])

        chooser = TokenChooser(
            choices.processors,
            None if choices.treat_rows_alone else lambda place: processors(place).as_processors,
            settings.noise_of(texts),
            ties,
        )
        self._weights.restore_state()
        with torch.inference_mode():
            for place, tokens, computed, is_near_tie in write_texts(
                writing.make,
                [requests[number] for number in texts],
                chooser,
                most=settings.most,
                room=self._room(writing),
                has_ended=lambda tokens: (
                    tokens[-1] in ends or (bool(settings.stop) and has_stopped(tokenizer, tokens, settings.stop))
                ),
                out_of_memory=should_reduce_batch_size,
                release=clear_device_cache,
            ):
                if is_near_tie:
                    yield texts[place], None
                    continue
                is_cut = len(tokens) == settings.most and tokens[-1] not in ends
                written = as_written(tokenizer, tokens, settings.stop, is_cut=is_cut)
                yield texts[place], _Done(written, computed)

    def _room(self, writing: TextWriting) -> Room:
        size = sum(parameter.nbytes for parameter in self._weights.network.parameters())
        texts = _TEXTS_ON_CPU if self._weights.device == "cpu" else _TEXTS_ELSEWHERE
        return Room(
            self._limit.items or texts,
            max(_LEAST_CACHE_BYTES, size // 4) // max(1, writing.token_bytes),
            self._limit.tokens or batch_tokens(self._weights.device),
        )

    def _hand_over(self, text: _Text, done: _Done, encoded: Sequence[PromptTokens], on_scores: OnScores) -> None:
        size = len(text.request.context)
        # The last token of a text is only predicted, never read; a decoder reads its start token as well.
        read = max(0, done.written.tokens - 1) + (0 if self._backend.is_decoder_only else 1)
        for place, index in enumerate(text.prompts):
            context = encoded[index].context
            scores = OptionScores(
                (),
                prompt_tokens=len(context),
                computed_tokens=done.computed + read if place == 0 else 0,
                truncated=len(context) - size,
                asked_tokens=len(context) + read,
                remarks=self._tokenizer.remarks(PromptTokens(context, ())),
                text=done.written.text,
            )
            on_scores(index, scores)
