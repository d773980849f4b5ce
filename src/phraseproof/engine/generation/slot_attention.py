"""Attention of one new token per text to the text's keys and values in a `SlotCache`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

HIDDEN = -1e30
"""Added to scores of what a token must not see. Finite, because a softmax over nothing but minus infinity is NaN."""


class Shared(NamedTuple):
    """A layer's keys and values of a beginning that several texts share.

    Attributes:
        slots: the slots of these texts.
        keys, values: [key heads, tokens, head width].
        bias: added to the scores, [slots, tokens]; `None` where all is seen.
    """

    slots: torch.Tensor
    keys: torch.Tensor
    values: torch.Tensor
    bias: torch.Tensor | None


class Products(NamedTuple):
    """How products of queries and keys become scores.

    Attributes:
        scale: the factor of the products.
        softcap: the bound that tanh keeps scores below; `None` for none.
    """

    scale: float
    softcap: float | None = None

    def scores(self, query: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """[..., queries, tokens] from [..., queries, head width] and [..., tokens, head width], in float32."""
        found = torch.matmul(query * self.scale, keys.transpose(-1, -2)).float()
        return found if self.softcap is None else torch.tanh(found / self.softcap) * self.softcap


def attend_to_slots(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    bias: torch.Tensor,
    products: Products,
    shared: Sequence[Shared] = (),
) -> torch.Tensor:
    """Attend to what each slot holds, and to the beginnings that slots share.

    A beginning is read once for all of its texts. The two softmaxes are combined by their sums, which are kept as
    logarithms: the result is that of one softmax over all tokens.

    Args:
        query: [slots, heads, head width].
        keys, values: of the slots' own tokens, [slots, key heads, tokens, head width].
        bias: added to the scores, [slots, heads or 1, tokens]; `HIDDEN` where a slot has fewer tokens.
        products: how scores are made.
        shared: the beginnings; no slot has two.

    Returns:
        [slots, heads, head width].
    """
    slots, heads, _ = query.shape
    key_heads = keys.shape[1]
    groups = heads // key_heads
    # Query heads that share a head of keys become the rows of one matrix.
    rows = query.view(slots, key_heads, groups, -1)
    scores = products.scores(rows, keys)
    scores += bias.view(slots, 1, 1, -1) if bias.shape[1] == 1 else bias.view(slots, key_heads, groups, -1)
    out = torch.matmul(torch.softmax(scores, dim=-1).to(values.dtype), values)
    if not shared:
        return out.view(slots, heads, -1)
    totals = torch.logsumexp(scores, dim=-1, keepdim=True)
    for each in shared:
        count = len(each.slots)
        asked = rows.index_select(0, each.slots).transpose(0, 1).reshape(key_heads, count * groups, -1)
        of_shared = products.scores(asked, each.keys)
        if each.bias is not None:
            of_shared += each.bias.repeat_interleave(groups, dim=0)
        found = torch.matmul(torch.softmax(of_shared, dim=-1).to(values.dtype), each.values)
        total = torch.logsumexp(of_shared, dim=-1, keepdim=True)
        found, total = (side.view(key_heads, count, groups, -1).transpose(0, 1) for side in (found, total))
        share = torch.sigmoid(total - totals.index_select(0, each.slots)).to(out.dtype)
        out.index_copy_(0, each.slots, torch.lerp(out.index_select(0, each.slots), found, share))
    return out.view(slots, heads, -1)
