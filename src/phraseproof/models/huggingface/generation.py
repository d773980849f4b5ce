"""Free text from Hugging Face models of both families, through transformers' own `generate`."""

from __future__ import annotations

import copy
import hashlib
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from transformers import StoppingCriteria

from phraseproof.core import CutText, Sampling
from phraseproof.engine.network import Network
from phraseproof.engine.plan.batching import BatchLimit, plan_batches, run_batches
from phraseproof.engine.plan.request import Request
from phraseproof.errors import ModelError, UsageError
from phraseproof.models.huggingface.tokenization import Tokenizer
from phraseproof.models.stop_strings import stops_at

if TYPE_CHECKING:
    from transformers import GenerationConfig


class GenerationSetup(NamedTuple):
    """What generation needs of a model.

    Attributes:
        network: a transformers model that generates.
        tokenizer: its tokenizer.
        inputs: what `generate` takes to continue from contexts, in their order.
        pad_id: pads texts that end early.
        batches: whether several prompts may share a batch, because padding does not change their states.
    """

    network: Network
    tokenizer: Tokenizer
    inputs: Callable[[Sequence[Request]], dict[str, object]]
    pad_id: int
    batches: bool = True


def check_sampling(sampling: Sampling, max_new_tokens: int) -> None:
    """Refuse settings that no model can follow.

    Raises:
        UsageError: names the setting.
    """
    if max_new_tokens < 1:
        raise UsageError("at least one new token is needed", got=str(max_new_tokens), where="max_new_tokens")
    if not 0 <= sampling.temperature < float("inf"):
        raise UsageError("the temperature is out of range", expected="0 or more", got=str(sampling.temperature))
    if not 0 < sampling.top_p <= 1:
        raise UsageError("top_p is out of range", expected="above 0, at most 1", got=str(sampling.top_p))
    if sampling.top_k < 0:
        raise UsageError("top_k is out of range", expected="0 (all tokens) or more", got=str(sampling.top_k))


def request_to_continue(
    context: Sequence[int], max_new_tokens: int, *, kept: Callable[[int, int], int], limit: int | None
) -> Request:
    """A context, cut from the left where the new tokens would not fit.

    Args:
        context: token ids.
        max_new_tokens: how many tokens follow.
        kept: (context tokens, new tokens) to the number of context tokens that fit together with the new ones.
        limit: the model's maximum number of tokens, for messages.

    Raises:
        ModelError: no room for the new tokens.
    """
    size = kept(len(context), max_new_tokens)
    if size < 1:
        raise ModelError(
            "the model's context has no room for this number of new tokens",
            expected=f"fewer than {limit}",
            got=str(max_new_tokens),
        )
    return Request(np.asarray(context[-size:], dtype=np.int32), ())


class GeneratedText(NamedTuple):
    """A text that a model wrote.

    Attributes:
        text: without special tokens, stop strings and white space at its ends; a `CutText` if it was cut.
        tokens: how many tokens were generated for it.
    """

    text: str
    tokens: int


OnWritten = Callable[[int, GeneratedText], None]
"""Called with the number of a request and its text."""


def write(
    setup: GenerationSetup,
    seeds: Sequence[int],
    requests: Sequence[Request],
    *,
    max_new_tokens: int,
    sampling: Sampling,
    stop: Sequence[str],
    limit: BatchLimit,
    on_written: OnWritten,
) -> None:
    """Continue the contexts of `requests`, and hand over each text after the batch that completes it.

    Greedy texts are written in batches. Sampled texts are written one prompt at a time, each with its own random
    numbers, so that a text does not depend on the other prompts.

    Args:
        seeds: of the random numbers of each request.
        stop: texts that end a text.

    Raises:
        ModelError: the model cannot generate, or memory runs out on a single prompt.
        UsageError: settings out of range.
    """
    from accelerate.utils.memory import (
        clear_device_cache,
        should_reduce_batch_size,  # pyright: ignore[reportUnknownVariableType]
    )

    check_sampling(sampling, max_new_tokens)
    if not setup.network.can_generate():
        raise ModelError("the model cannot generate text", got=type(setup.network).__name__)
    alone = sampling.temperature > 0 or not setup.batches
    settings = _settings(setup.network, max_new_tokens, setup.pad_id, sampling)

    def run(batch: Sequence[int]) -> list[GeneratedText]:
        # `generate` draws from torch's global generator, so its state is restored for other users of it.
        with torch.inference_mode(), torch.random.fork_rng(devices=_devices(setup.network)):
            if sampling.temperature > 0:
                torch.manual_seed(seeds[batch[0]])
            return list(_texts(setup, [requests[index] for index in batch], settings, stop))

    lengths = [len(request.context) + max_new_tokens for request in requests]
    batches = plan_batches(lengths, BatchLimit(items=1) if alone else limit)
    for batch, found in run_batches(
        batches, lengths, run, out_of_memory=should_reduce_batch_size, release=clear_device_cache
    ):
        for index, written in zip(batch, found, strict=True):
            on_written(index, written)


class _StopsAtText(StoppingCriteria):
    """Ends a sequence whose text has one of the stop strings."""

    def __init__(self, tokenizer: Tokenizer, stop: Sequence[str], given: int) -> None:
        self._tokenizer, self._stop, self._given = tokenizer, stop, given

    def __call__(self, input_ids: torch.Tensor, scores: object, **_: object) -> torch.Tensor:  # noqa: ARG002 # pyright: ignore[reportIncompatibleMethodOverride] - transformers types booleans apart
        """Whether each row has ended, [rows]."""
        rows: list[list[int]] = input_ids[:, self._given :].tolist()
        return torch.tensor([_stops(self._tokenizer, row, self._stop) for row in rows], device=input_ids.device)


def _stops(tokenizer: Tokenizer, tokens: Sequence[int], stop: Sequence[str]) -> bool:
    return stops_at(tokenizer.decode(list(tokens), skip_special_tokens=True), stop) is not None


def _texts(
    setup: GenerationSetup, requests: Sequence[Request], settings: GenerationConfig, stop: Sequence[str]
) -> Iterator[GeneratedText]:
    inputs = setup.inputs(requests)
    # A decoder-only model repeats the tokens it was given (none, where it was given embeddings); a decoder starts with
    # its start token.
    ids = inputs.get("input_ids")
    given = int(ids.shape[1]) if isinstance(ids, torch.Tensor) else int("encoder_outputs" in inputs)
    criteria = [_StopsAtText(setup.tokenizer, stop, given)] if stop else []
    sequences = setup.network.generate(**inputs, generation_config=settings, stopping_criteria=criteria)
    ends = end_tokens(settings)
    most = settings.max_new_tokens or 0
    for tokens in sequences[:, given:].tolist():
        size = next((place + 1 for place, token in enumerate(tokens) if token in ends), len(tokens))
        is_cut = size == most and tokens[size - 1] not in ends
        yield as_written(setup.tokenizer, tokens[:size], stop, is_cut=is_cut)


def as_written(tokenizer: Tokenizer, tokens: Sequence[int], stop: Sequence[str], *, is_cut: bool) -> GeneratedText:
    """The text of generated tokens.

    Args:
        is_cut: whether they ended at the maximum number of tokens.
    """
    text = tokenizer.decode(list(tokens), skip_special_tokens=True)
    place = stops_at(text, stop)
    if place is not None:
        # The batch continues for its other texts, so tokens after the stop string are not counted.
        sizes = range(1, len(tokens) + 1)
        size = bisect(sizes, False, key=lambda size: _stops(tokenizer, tokens[:size], stop)) + 1
        return GeneratedText(text[:place].strip(), size)
    return GeneratedText(CutText(text.strip()) if is_cut else text.strip(), len(tokens))


def end_tokens(settings: GenerationConfig) -> frozenset[int]:
    """The tokens that end a text."""
    ends: int | list[int] | None = settings.eos_token_id
    if ends is None:
        return frozenset()
    return frozenset(ends if isinstance(ends, list) else [ends])


def _settings(network: Network, max_new_tokens: int, pad_id: int, sampling: Sampling) -> GenerationConfig:
    """The model's own generation settings (its end tokens above all), with ours in place of theirs."""
    drawn = sampling.temperature > 0
    # A copy, because `generate` of the user's own code reads the same object. A `top_k` of 0 switches off the default
    # of 50, which would cut the distribution that `sampling` describes.
    settings = copy.deepcopy(network.generation_config)
    settings.update(
        do_sample=drawn,
        num_beams=1,
        max_new_tokens=max_new_tokens,
        max_length=None,
        temperature=sampling.temperature if drawn else None,
        top_k=sampling.top_k if drawn else None,
        top_p=sampling.top_p if drawn else None,
    )
    if settings.pad_token_id is None:
        settings.pad_token_id = pad_id
    return settings


def seed_of(seed: int, text: str) -> int:
    """The seed of one prompt's random numbers."""
    key = f"{seed}\0{text}".encode(errors="surrogatepass")
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest()) >> 1  # torch takes 63 bits


def _devices(network: Network) -> list[torch.device]:
    """Accelerators whose random numbers are put back afterwards; those of the CPU always are."""
    return [network.device] if network.device.type == "cuda" else []
