"""Trials of the ways to score in batches: made-up requests, scored together and each alone, must get equal scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from phraseproof.engine.network import Network
from phraseproof.engine.plan.request import Request

REFUSALS = (
    TypeError,
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    RuntimeError,
    AssertionError,
    StopIteration,
    NotImplementedError,
)
"""What an unsuitable network may raise."""

_TOLERANCE = {torch.float16: 5e-2, torch.bfloat16: 4e-1}
_TOLERANCE_FLOAT32 = 3e-4
"""Nats by which two ways may differ through rounding."""

_RELATIVE = {torch.float16: 2e-2, torch.bfloat16: 1e-1}
_RELATIVE_FLOAT32 = 1e-4
"""By how much of the largest one numbers of two passes may differ through rounding."""

_SIMILAR = 0.2
"""The largest relative distance of two passes of which one is in half precision."""

_OF_FEATURE = 1e-3
_OF_PRODUCT = 1e-4
_OF_ALL = 1e-6
"""By how much of its own largest value, in a pass or in one product, plus how much of the largest of all, a feature may
differ through rounding. A factor with 10 bits, as in TF32, moves products by about 3e-4."""

_SHORT = (11, 6, 3)
_OPTION_TOKENS = (6, 3, 1, 3)
_FIRST_TOKEN = 10
"""Lower ids are special tokens in many vocabularies."""

_LARGEST_TOKEN = 30000


def agree(found: Sequence[Sequence[float]], expected: Sequence[Sequence[float]], dtype: torch.dtype) -> bool:
    """Whether two ways gave the same scores, up to rounding."""
    allowed = _TOLERANCE.get(dtype, _TOLERANCE_FLOAT32)
    return len(found) == len(expected) and all(
        np.allclose(one, other, rtol=1e-5, atol=allowed) for one, other in zip(found, expected, strict=True)
    )


class Lengths(NamedTuple):
    """Which contexts are tried.

    Attributes:
        threshold: contexts end before and after this many tokens, and options cross it; 0 for short ones alone.
        is_beyond: all contexts are longer than the threshold.
    """

    threshold: int = 0
    is_beyond: bool = False

    def sizes(self) -> list[int]:
        """Tokens of each context."""
        at = self.threshold
        if self.is_beyond:
            return [at + 11, at + 5, at + 2]
        return [at + 3, max(at - 2, 1), at // 2 + 1, _SHORT[-1]] if at else list(_SHORT)


def trial_requests(lengths: Lengths, vocabulary: int, kept: Callable[[int, int], int]) -> list[Request]:
    """Requests of different lengths with options of different lengths.

    Args:
        lengths: of the contexts.
        vocabulary: ids below it have an embedding.
        kept: how many tokens of a context fit together with an option, by the number of tokens of both.
    """
    draw = np.random.default_rng(0)
    first = _FIRST_TOKEN if vocabulary > 2 * _FIRST_TOKEN else 0
    most = min(vocabulary, _LARGEST_TOKEN)
    requests: list[Request] = []
    for size in dict.fromkeys(lengths.sizes()):
        tokens = draw.integers(first, most, size=size, dtype=np.int32)
        options = [tuple(map(int, draw.integers(first, most, size=count))) for count in _OPTION_TOKENS]
        by_size: dict[int, list[tuple[int, ...]]] = {}
        for option in options:
            if (fits := kept(size, len(option))) > 0:
                by_size.setdefault(fits, []).append(option)
        requests += [Request(tokens[-fits:], tuple(some)) for fits, some in by_size.items()]
    return requests


@torch.inference_mode()
def trial_logits(network: Network) -> torch.Tensor | None:
    """What a network makes of a few tokens, [1, tokens, vocabulary]; `None` where it cannot read them."""
    ids = trial_ids(network)
    inputs = {"decoder_input_ids": ids[:, : _SHORT[1]]} if network.config.is_encoder_decoder else {}
    try:
        return network(input_ids=ids, use_cache=False, **inputs).logits
    except REFUSALS:
        return None


def trial_ids(network: Network) -> torch.Tensor:
    """The tokens of `trial_logits`, [1, tokens]."""
    embeddings = network.get_input_embeddings().weight
    most = min(int(embeddings.shape[0]), _LARGEST_TOKEN)
    drawn = np.random.default_rng(1).integers(min(_FIRST_TOKEN, most - 1), most, size=(1, _SHORT[0]))
    return torch.from_numpy(drawn).to(embeddings.device)


def same_logits(found: torch.Tensor | None, expected: torch.Tensor) -> bool:
    """Whether two passes over the same tokens agree, up to rounding."""
    allowed = _RELATIVE.get(expected.dtype, _RELATIVE_FLOAT32)
    largest = max(1.0, float(expected.abs().max()))
    return found is not None and torch.allclose(found, expected, rtol=allowed, atol=allowed * largest, equal_nan=True)


def is_unmoved(found: torch.Tensor, expected: torch.Tensor, rounding: torch.dtype) -> bool:
    """Whether predictions do not depend on the tokens after them, up to rounding, however small all logits are.

    Args:
        found, expected: logits of the same tokens, with other tokens after them, or with none; in float32.
        rounding: the precision they were computed in.
    """
    allowed = _RELATIVE.get(rounding, _RELATIVE_FLOAT32) * float(expected.abs().max())
    return torch.allclose(found, expected, rtol=0, atol=allowed, equal_nan=True)


def similar_logits(found: torch.Tensor | None, expected: torch.Tensor) -> bool:
    """Whether two passes over the same tokens agree on the whole, where either is in half precision.

    Single logits of deep networks may move by a tenth of the largest one, so lengths are compared.
    """
    if found is None or found.shape != expected.shape:
        return False
    distance = torch.linalg.vector_norm(found.float() - expected.float())
    return bool(distance <= _SIMILAR * torch.linalg.vector_norm(expected.float()))


def same_features(found: torch.Tensor, expected: torch.Tensor, *, is_one_product: bool = False) -> bool:
    """Whether values of a layer in float32 differ by rounding only, each feature relative to its own size.

    Args:
        found, expected: [tokens, features]. Not a number is never the same.
        is_one_product: both are products of the same numbers, so that they contain no rounding of earlier layers.
    """
    if found.shape != expected.shape:
        return False
    if not expected.numel():
        return True
    largest = expected.abs().amax(dim=0)
    allowed = (_OF_PRODUCT if is_one_product else _OF_FEATURE) * largest + _OF_ALL * float(largest.max())
    return bool(((found - expected).abs().amax(dim=0) <= allowed).all())
