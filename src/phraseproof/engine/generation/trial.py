"""Whether a decoder's logits are those of the network alone: made-up contexts, read and continued together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from phraseproof.engine.generation.slot_cache import SharedBeginning
from phraseproof.engine.generation.texts import PlannedText, TextDecoder
from phraseproof.engine.plan.request import Request
from phraseproof.engine.trial import same_logits

_SHARED = 7
_STEPS = 3
_SIZES = (12, 11, 4)
"""Tokens of each context; the first two share `_SHARED` of them."""


@torch.inference_mode()
def writes_right(
    decoder: TextDecoder, logits_after: Callable[[Sequence[int], Sequence[int]], torch.Tensor], vocabulary: int
) -> bool:
    """Compare what a decoder gives for several texts with what the network gives for each alone.

    Args:
        decoder: holds nothing yet.
        logits_after: the network's logits after a context and the tokens written so far, [vocabulary].
        vocabulary: ids below it have an embedding.
    """
    draw = np.random.default_rng(2)
    contexts = [draw.integers(0, vocabulary, size=size, dtype=np.int32) for size in _SIZES]
    contexts[1][:_SHARED] = contexts[0][:_SHARED]
    shared = SharedBeginning(decoder.lead_tokens + _SHARED, 2) if decoder.shares_beginnings else None
    known = _SHARED if decoder.shares_beginnings else 0
    texts = [
        PlannedText(Request(contexts[0], (), kept=known), shared, _STEPS + 2),
        PlannedText(Request(contexts[1], (), shared=known), shared, _STEPS + 2),
        PlannedText(Request(contexts[2], ()), None, _STEPS + 2),
    ]
    # The third text joins after the first step of the others, and the first one leaves before the last step.
    active = [0, 1]
    written: list[list[int]] = [[], [], []]

    def agrees(logits: torch.Tensor, numbers: Sequence[int]) -> bool:
        return all(
            same_logits(row, logits_after(contexts[number].tolist(), written[number]))
            for row, number in zip(logits, numbers, strict=True)
        )

    if not agrees(decoder.start(texts[:2]), active):
        return False
    for step in range(_STEPS):
        for number in active:
            written[number].append(int(draw.integers(0, vocabulary)))
        if not agrees(decoder.step([written[number][-1] for number in active]), active):
            return False
        if step == 0:
            if not agrees(decoder.start(texts[2:]), [2]):
                return False
            active.append(2)
        if step == 1:
            decoder.drop(0)
            active = [2, 1]
    return True
