"""Rows padded to one length, and a soft prompt directly before each row's first token."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from phraseproof.engine.padded import add_picked, pad_rows, with_virtual_tokens
from phraseproof.engine.plan.request import Request
from support import tiny_models


def test_padding_is_on_the_side_that_is_asked_for() -> None:
    right = pad_rows([(1, 2, 3), (4,)], 0, device="cpu")
    assert right.ids.tolist() == [[1, 2, 3], [4, 0, 0]]
    left = pad_rows([(1, 2, 3), (4,)], 0, device="cpu", left=True)
    assert left.ids.tolist() == [[1, 2, 3], [0, 0, 4]]
    assert left.mask.tolist() == [[1, 1, 1], [0, 0, 1]]


@pytest.mark.parametrize("left", [True, False])
def test_virtual_tokens_come_directly_before_the_first_token(left: bool) -> None:
    network = tiny_models.llama_network(64)
    padded = pad_rows([(1, 2, 3), (4,)], 0, device="cpu", left=left)
    virtual = torch.randn(2, network.get_input_embeddings().weight.shape[1])
    embedded, mask = with_virtual_tokens(network, padded, virtual)
    for row, tokens in enumerate(((1, 2, 3), (4,))):
        own = embedded[row][mask[row].bool()]
        assert torch.equal(own, torch.cat([virtual, network.get_input_embeddings()(torch.tensor(tokens))]))


def test_picked_log_probabilities_skip_what_was_added_before() -> None:
    logits = torch.randn(1, 2, 8)
    totals = [[-1.0]]
    add_picked(totals, logits, [[((0, 0), 1)]], [Request(np.zeros(1, dtype=np.int32), ((3, 5, 6),))])
    logprobs = torch.log_softmax(logits[0], dim=-1)
    assert totals[0][0] == pytest.approx(-1.0 + float(logprobs[0, 5] + logprobs[1, 6]), abs=1e-5)
