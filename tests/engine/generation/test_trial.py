"""The trial of writing passes for networks that are packed, and fails where a decoder gives other logits."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from phraseproof.engine.generation.causal import CausalTextDecoder
from phraseproof.engine.generation.trial import writes_right
from support import tiny_models


class Forgets(CausalTextDecoder):
    """Loses what a text has written when another one is dropped."""

    def drop(self, number: int) -> None:
        super().drop(number)
        self._cache.lengths[0] -= 1


def test_a_decoder_with_other_logits_fails() -> None:
    network = tiny_models.llama_network(64).eval()

    def after(context: Sequence[int], tokens: Sequence[int]) -> torch.Tensor:
        return network(torch.tensor([[*context, *tokens]])).logits[0, -1]

    assert writes_right(CausalTextDecoder(network), after, 64)
    assert not writes_right(Forgets(network), after, 64)
    assert not writes_right(CausalTextDecoder(network), lambda context, tokens: after(context[1:], tokens), 64)
