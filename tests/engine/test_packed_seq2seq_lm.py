"""Packed scoring of T5 equals one prompt and option at a time, wherever the projections are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from phraseproof.engine.packed_seq2seq_lm import PackedSeq2SeqLM
from phraseproof.engine.plan.request import Request
from support import tiny_models

CONTEXTS = ((5, 9, 14, 3, 8, 21), (5, 9, 14))
OPTIONS = ((7, 12, 6), (7, 19), (25,))


@pytest.mark.parametrize("in_blocks", [False, True])
@pytest.mark.parametrize("absorbs", [False, True])
def test_scores_equal_those_of_one_option_at_a_time(in_blocks: bool, absorbs: bool) -> None:
    network = tiny_models.t5_network(64).eval()
    requests = [Request(np.asarray(context, dtype=np.int32), OPTIONS) for context in CONTEXTS]
    with torch.inference_mode():
        scores = PackedSeq2SeqLM(network, in_blocks=in_blocks).score(requests, absorbs=absorbs)
        for context, found in zip(CONTEXTS, scores, strict=True):
            for option, logprob in zip(OPTIONS, found, strict=True):
                logits = network(input_ids=torch.tensor([context]), labels=torch.tensor([option])).logits[0]
                expected = torch.log_softmax(logits, dim=-1)[range(len(option)), option].sum()
                assert logprob == pytest.approx(float(expected), abs=1e-4)


def test_a_network_of_another_kind_is_refused() -> None:
    with pytest.raises((ValueError, AttributeError)):
        PackedSeq2SeqLM(tiny_models.llama_network(64))
