"""In a packed row of contexts, each attends to itself, with its biases."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from phraseproof.engine.attention.seq2seq_per_prompt import PackedEncoderPass, spans_of


def test_each_context_attends_to_itself() -> None:
    torch.manual_seed(1)
    query, key, value = torch.randn(3, 1, 2, 7, 8)
    bias = torch.randn(1, 2, 4, 4)
    spans = spans_of([3, 4])
    assert spans == [(0, 3), (3, 7)]
    out = PackedEncoderPass(spans, bias).attend(nn.Module(), query, key, value, 0.5)
    for first, after in spans:
        size = after - first
        own = [tensor[:, :, first:after] for tensor in (query, key, value)]
        alone = functional.scaled_dot_product_attention(*own, attn_mask=bias[:, :, :size, :size], scale=0.5)
        assert torch.equal(out[:, first:after], alone.transpose(1, 2))
