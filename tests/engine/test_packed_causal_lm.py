"""Packed scoring of decoder-only networks equals one prompt and option at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from phraseproof.engine.packed_causal_lm import PackedCausalLM
from phraseproof.engine.plan.request import Request
from phraseproof.engine.probe import probe_causal_lm
from support import tiny_models

CONTEXTS = ((5, 9, 14, 3, 8, 21), (5, 9, 14, 3, 8, 21, 2))
OPTIONS = ((7, 12, 6), (7, 19), (25,))


@torch.inference_mode()
def alone(network: torch.nn.Module, context: tuple[int, ...], option: tuple[int, ...]) -> float:
    logits = network(input_ids=torch.tensor([context + option[:-1]])).logits[0, len(context) - 1 :]
    return float(torch.log_softmax(logits, dim=-1)[range(len(option)), option].sum())


@pytest.mark.parametrize("in_blocks", [False, True])
def test_scores_equal_those_of_one_option_at_a_time(in_blocks: bool) -> None:
    network = tiny_models.llama_network(64).eval()
    support = probe_causal_lm(network)
    assert support is not None
    first, second = (np.asarray(context, dtype=np.int32) for context in CONTEXTS)
    requests = [Request(first, OPTIONS, kept=5), Request(second, OPTIONS, shared=5)]
    packed = PackedCausalLM(network, last_layer=support.last_layer, in_blocks=in_blocks)
    with torch.inference_mode():
        scores = packed.score(requests[:1]) + packed.score(requests[1:])
    for context, found in zip(CONTEXTS, scores, strict=True):
        assert found == pytest.approx([alone(network, context, option) for option in OPTIONS], abs=1e-4)
