"""Free text from Hugging Face models of both families, through transformers' own `generate`."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from phraseproof.core import Prompt, Sampling
from phraseproof.engine.network import Network
from phraseproof.engine.plan.batching import BatchLimit, plan_batches, run_batches
from phraseproof.engine.plan.request import Request
from phraseproof.errors import ModelError, UsageError
from phraseproof.models.huggingface.tokenization import Tokenizer

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


def requests_to_continue(
    contexts: Sequence[Sequence[int]], max_new_tokens: int, *, kept: Callable[[int, int], int], limit: int | None
) -> list[Request]:
    """One request per context, cut from the left where the new tokens would not fit.

    Args:
        contexts: token ids.
        max_new_tokens: how many tokens follow.
        kept: (context tokens, new tokens) to the number of context tokens that fit together with the new ones.
        limit: the model's maximum number of tokens, for messages.

    Raises:
        ModelError: no room for the new tokens.
    """
    requests: list[Request] = []
    for context in contexts:
        size = kept(len(context), max_new_tokens)
        if size < 1:
            raise ModelError(
                "the model's context has no room for this number of new tokens",
                expected=f"fewer than {limit}",
                got=str(max_new_tokens),
            )
        requests.append(Request(np.asarray(context[-size:], dtype=np.int32), ()))
    return requests


def write(
    setup: GenerationSetup,
    prompts: Sequence[Prompt],
    requests: Sequence[Request],
    *,
    max_new_tokens: int,
    sampling: Sampling,
    limit: BatchLimit,
) -> list[str]:
    """Continue the contexts of `requests`: one text per prompt, without special tokens.

    Greedy texts are written in batches. Sampled texts are written one prompt at a time, each with its own random
    numbers (from the seed and the prompt's text), so that a text does not depend on the other prompts.

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
    texts = [""] * len(prompts)

    def run(batch: Sequence[int]) -> list[str]:
        # `generate` draws from torch's global generator, so its state is restored for other users of it.
        with torch.inference_mode(), torch.random.fork_rng(devices=_devices(setup.network)):
            if sampling.temperature > 0:
                torch.manual_seed(_seed(sampling.seed, prompts[batch[0]].text))
            return list(_texts(setup, [requests[index] for index in batch], settings))

    lengths = [len(request.context) + max_new_tokens for request in requests]
    batches = plan_batches(lengths, BatchLimit(items=1) if alone else limit)
    for batch, found in run_batches(
        batches, lengths, run, out_of_memory=should_reduce_batch_size, release=clear_device_cache
    ):
        for index, text in zip(batch, found, strict=True):
            texts[index] = text
    return texts


def _texts(setup: GenerationSetup, requests: Sequence[Request], settings: GenerationConfig) -> Iterator[str]:
    inputs = setup.inputs(requests)
    sequences = setup.network.generate(**inputs, generation_config=settings)
    # A decoder-only model repeats the tokens it was given (none, where it was given embeddings); a decoder starts with
    # its start token.
    ids = inputs.get("input_ids")
    given = int(ids.shape[1]) if isinstance(ids, torch.Tensor) else int("encoder_outputs" in inputs)
    for tokens in sequences[:, given:].tolist():
        yield setup.tokenizer.decode(tokens, skip_special_tokens=True).strip()


def _settings(network: Network, max_new_tokens: int, pad_id: int, sampling: Sampling) -> GenerationConfig:
    """The model's own generation settings (its end tokens above all), with ours in place of theirs."""
    drawn = sampling.temperature > 0
    # A copy, because `generate` of the user's own code reads the same object. `top_k=0` switches off the default of
    # 50, which would cut the distribution that `sampling` describes.
    settings = copy.deepcopy(network.generation_config)
    settings.update(
        do_sample=drawn,
        num_beams=1,
        max_new_tokens=max_new_tokens,
        max_length=None,
        temperature=sampling.temperature if drawn else None,
        top_k=0 if drawn else None,
        top_p=sampling.top_p if drawn else None,
    )
    if settings.pad_token_id is None:
        settings.pad_token_id = pad_id
    return settings


def _seed(seed: int, text: str) -> int:
    key = f"{seed}\0{text}".encode(errors="surrogatepass")
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest()) >> 1  # torch takes 63 bits


def _devices(network: Network) -> list[torch.device]:
    """Accelerators whose random numbers are put back afterwards; those of the CPU always are."""
    return [network.device] if network.device.type == "cuda" else []
