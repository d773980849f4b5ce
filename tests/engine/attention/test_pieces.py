"""Attention in pieces equals attention over all keys at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from phraseproof.engine.attention.causal import PackedPass, attend
from phraseproof.engine.attention.pieces import LONGEST_CAUSAL, PIECE, query_pieces
from phraseproof.engine.plan.packed_layout import PackedPrompt, pack_prompts
from phraseproof.engine.plan.prefix_tree import TokenTrie, token_trie

LONG = 3 * PIECE + 7


@pytest.mark.parametrize("queries", [1, PIECE, PIECE + 1, LONG, 1000])
@pytest.mark.parametrize("before", [0, 1, 50, 5000])
def test_pieces_cover_all_queries_in_order(queries: int, before: int) -> None:
    pieces = query_pieces(queries, before + queries)
    assert [place for first, after in pieces for place in range(first, after)] == list(range(queries))


def test_few_tokens_after_many_are_one_piece() -> None:
    assert query_pieces(100, 600) == ((0, 100),)
    assert len(query_pieces(100, 110)) == 2


def prompt(first: int, count: int, shared: int, tree: TokenTrie) -> PackedPrompt:
    return PackedPrompt(np.r_[:shared, first : first + count - shared].astype(np.int32), shared, tree)


@pytest.mark.parametrize("window", [None, 40])
@pytest.mark.parametrize("size", [LONG, LONGEST_CAUSAL + 30])
def test_long_texts_alone_and_after_others_see_what_they_may(size: int, window: int | None) -> None:
    options = token_trie([(7, 12, 9), (7, 6, 4), (3,)])
    one = token_trie([(7,)])
    prompts = [prompt(0, size, 0, one), prompt(5000, LONG, 20, options), prompt(6000, 2 * PIECE, 10, one)]
    step = PackedPass(pack_prompts(prompts, 0))
    module = nn.Module()
    module.layer_idx = 0  # pyright: ignore[reportArgumentType, reportAttributeAccessIssue]
    torch.manual_seed(0)
    query = torch.randn(1, 4, len(step.row.tokens), 8)
    key, value = torch.randn(2, 1, 2, len(step.row.tokens), 8)
    with torch.inference_mode():
        out, _ = attend(module, query, key, value, None, packed=step, sliding_window=window)
    assert len(query_pieces(LONG, LONG)) > 1
    for unit in step.row.units:
        places = [place for first, after in unit.keys for place in range(first, after)]
        hidden = torch.from_numpy(~unit.visible(window))
        keys, values = (side[0][:, places].repeat_interleave(2, dim=0) for side in (key, value))
        # The definition, in double precision.
        scores = query[0, :, unit.start : unit.stop].double() @ keys.double().transpose(1, 2) / 8**0.5
        expected = torch.softmax(scores.masked_fill(hidden, float("-inf")), dim=-1) @ values.double()
        assert torch.allclose(out[0, unit.start : unit.stop].transpose(0, 1).double(), expected, atol=1e-5)
