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


class Tail(NamedTuple):
    """A layer's keys and values of the last tokens of texts that have many more than the others.

    Attributes:
        slots: the slots of these texts.
        keys, values: [these slots, key heads, tokens, head width].
        bias: added to the scores, [these slots, heads or 1, tokens].
    """

    slots: torch.Tensor
    keys: torch.Tensor
    values: torch.Tensor
    bias: torch.Tensor


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
    tail: Tail | None = None,
) -> torch.Tensor:
    """Attend to what each slot holds, and to the beginnings that slots share.

    A beginning is read once for all of its texts. The softmaxes over parts of a text are combined by their sums, which
    are kept as logarithms: the result is that of one softmax over all tokens.

    Args:
        query: [slots, heads, head width].
        keys, values: of the slots' own tokens, [slots, key heads, tokens, head width].
        bias: added to the scores, [slots, heads or 1, tokens]; `HIDDEN` where a slot has fewer tokens.
        products: how scores are made.
        shared: the beginnings; no slot has two.
        tail: own tokens after those of `keys`.

    Returns:
        [slots, heads, head width].
    """
    slots, heads, _ = query.shape
    groups = heads // keys.shape[1]
    # Query heads that share a head of keys become the rows of one matrix.
    rows = query.view(slots, -1, groups, query.shape[2])
    scores = products.scores(rows, keys)
    scores += _by_group(bias, groups)
    out = torch.matmul(torch.softmax(scores, dim=-1).to(values.dtype), values)
    if not shared and tail is None:
        return out.view(slots, heads, -1)
    sums = torch.logsumexp(scores, dim=-1, keepdim=True)
    parts: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
    for each in shared:
        count, key_heads = len(each.slots), rows.shape[1]
        asked = rows.index_select(0, each.slots).transpose(0, 1).reshape(key_heads, count * groups, -1)
        scores = products.scores(asked, each.keys)
        if each.bias is not None:
            scores += each.bias.repeat_interleave(groups, dim=0)
        found = torch.matmul(torch.softmax(scores, dim=-1).to(values.dtype), each.values)
        sides = found, torch.logsumexp(scores, dim=-1, keepdim=True)
        found, total = (side.view(key_heads, count, groups, -1).transpose(0, 1) for side in sides)
        parts.append((each.slots, found, total))
    if tail is not None:
        scores = products.scores(rows.index_select(0, tail.slots), tail.keys) + _by_group(tail.bias, groups)
        found = torch.matmul(torch.softmax(scores, dim=-1).to(values.dtype), tail.values)
        parts.append((tail.slots, found, torch.logsumexp(scores, dim=-1, keepdim=True)))
    for members, found, total in parts:
        before = sums.index_select(0, members)
        share = torch.sigmoid(total - before).to(out.dtype)
        out.index_copy_(0, members, torch.lerp(out.index_select(0, members), found, share))
        sums.index_copy_(0, members, torch.logaddexp(before, total))
    return out.view(slots, heads, -1)


def _by_group(bias: torch.Tensor, groups: int) -> torch.Tensor:
    """[slots, key heads or 1, groups or 1, tokens] from [slots, heads or 1, tokens]."""
    return bias[:, None] if bias.shape[1] == 1 else bias.unflatten(1, (-1, groups))


def common_length(lengths: Sequence[int]) -> int:
    """Up to which token all slots are read together; longer ones have a `Tail`, which is copied.

    Args:
        lengths: the tokens of each slot.

    Returns:
        The number of tokens with the least work: each slot is padded to it, and each longer one to the longest.
    """
    ordered = sorted(lengths, reverse=True)
    longest = ordered[0]
    # The n longest have a tail after the length of the next one; a copied token costs as much as three that are read.
    work = {
        max(1, ordered[count]): len(ordered) * ordered[count] + _COPIED * count * (longest - ordered[count])
        for count in reversed(range(len(ordered)))
    }
    best = min(work, key=work.__getitem__)
    return best if work[best] < _LEAST_GAIN * len(ordered) * longest else longest


_COPIED = 3
_LEAST_GAIN = 0.8
"""Below this share of the work without a tail, its further calls are worth it."""
