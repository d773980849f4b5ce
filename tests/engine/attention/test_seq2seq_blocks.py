"""Attention in blocks gives what attention one prompt after the other gives."""

from __future__ import annotations

import torch
from torch import nn

from phraseproof.engine.attention.seq2seq_blocks import EncoderBlocks
from phraseproof.engine.attention.seq2seq_per_prompt import PackedEncoderPass, spans_of


def test_blocks_of_contexts_equal_one_context_after_the_other() -> None:
    torch.manual_seed(2)
    sizes = [3, 9, 4, 17, 3]
    query, key, value = torch.randn(3, 1, 2, sum(sizes), 8)
    spans, table = spans_of(sizes), torch.randn(1, 2, 64, 64)
    blocks = EncoderBlocks.of(spans, table).attend(nn.Module(), query, key, value, 0.3)
    alone = PackedEncoderPass(spans, table).attend(nn.Module(), query, key, value, 0.3)
    assert torch.allclose(blocks, alone, atol=1e-5)
