"""Attention of one new token per text to the text's keys and values in a `SlotCache`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

HIDDEN = -1e30
"""Added to scores of what a token must not see. Finite, because a softmax over nothing but minus infinity is NaN."""


class Shared(NamedTuple):
    """A layer's keys and values of a beginning that several texts share.

    Attributes:
        users: how many texts.
        keys, values: [key heads, tokens, head width].
        bias: added to the scores, [users, tokens]; `None` where all is seen.
    """

    users: int
    keys: torch.Tensor
    values: torch.Tensor
    bias: torch.Tensor | None


class SharedSlots(NamedTuple):
    """Which slots have a shared beginning.

    Attributes:
        slots: the slots of the first beginning, then those of the next one; no slot twice.
        back: of each slot, its place in `slots`, if all slots have a beginning; else `None`.
    """

    slots: torch.Tensor
    back: torch.Tensor | None

    @classmethod
    def of(cls, members: Sequence[Sequence[int]], slots: int, device: torch.device) -> SharedSlots:
        """From the slots of each beginning, and the number of all slots."""
        some = torch.tensor([slot for each in members for slot in each], device=device)
        return cls(some, some.argsort() if len(some) == slots else None)


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


class Found(NamedTuple):
    """The attention to a part of the tokens.

    Attributes:
        values: the weighted means of the values, [..., queries, head width].
        total: the logarithm of the sum of the weights, [..., queries, 1].
    """

    values: torch.Tensor
    total: torch.Tensor

    def with_part(self, other: Found) -> Found:
        """The attention to both parts."""
        share = torch.sigmoid(other.total - self.total).to(self.values.dtype)
        return Found(torch.lerp(self.values, other.values, share), torch.logaddexp(self.total, other.total))

    def with_part_of(self, slots: torch.Tensor, other: Found) -> Found:
        """The attention to both parts, where only some slots have the other one; changes this one."""
        both = Found(*(side.index_select(0, slots) for side in self)).with_part(other)
        return Found(*(side.index_copy_(0, slots, new) for side, new in zip(self, both, strict=True)))


class Products(NamedTuple):
    """How products of queries and keys become scores.

    Attributes:
        scale: the factor of the products.
        softcap: the bound that tanh keeps scores below; `None` for none.
    """

    scale: float
    softcap: float | None = None

    def attend(self, query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, bias: torch.Tensor | None) -> Found:
        """Attend, with softmaxes in float32.

        Args:
            query: [..., queries, head width].
            keys, values: [..., tokens, head width].
            bias: added to the scores, broadcast to [..., queries, tokens]; `None` where all is seen.
        """
        scores = torch.matmul(query * self.scale, keys.transpose(-1, -2)).float()
        if self.softcap is not None:
            scores = torch.tanh(scores / self.softcap) * self.softcap
        if bias is not None:
            scores += bias
        highest = scores.amax(dim=-1, keepdim=True)
        weights = scores.sub_(highest).exp_()
        total = weights.sum(dim=-1, keepdim=True)
        means = torch.matmul(weights.to(values.dtype), values) / total.to(values.dtype)
        return Found(means, highest + total.log_())

    def attend_with_many(
        self, query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, bias: torch.Tensor | None
    ) -> Found:
        """`attend` for many queries per head: in one pass over blocks where torch has that.

        Args:
            query: [heads, queries, head width].
            keys, values: [heads, tokens, head width].
            bias: [queries, tokens], or `None`.
        """
        is_plain = self.softcap is None and query.device.type == "cpu" and query.dtype == torch.float32
        # Latent attention has values of another width than keys, which the pass over blocks refuses.
        if not is_plain or keys.shape[-1] != values.shape[-1] or not has_blocks():
            return self.attend(query, keys, values, bias)
        found, total = _blocks()(query[None], keys[None], values[None], attn_mask=bias, scale=self.scale)
        return Found(found[0], total[0, ..., None])


def attend_to_slots(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    bias: torch.Tensor,
    products: Products,
    shared_slots: SharedSlots | None = None,
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
        shared_slots: the slots that have a beginning, if any.
        shared: the beginnings, in the order of `shared_slots`.
        tail: own tokens after those of `keys`.

    Returns:
        [slots, heads, head width].
    """
    slots, heads, _ = query.shape
    groups = heads // keys.shape[1]
    # Query heads that share a head of keys become the rows of one matrix.
    rows = query.view(slots, -1, groups, query.shape[2])
    found = products.attend(rows, keys, values, _by_group(bias, groups))
    if shared_slots is not None:
        parts = _attend_to_shared(rows, shared_slots, shared, products)
        if shared_slots.back is None:
            found = found.with_part_of(shared_slots.slots, Found(*(side.transpose(0, 1) for side in parts)))
        else:
            sides = (side.index_select(1, shared_slots.back).transpose(0, 1) for side in parts)
            found = found.with_part(Found(*sides))
    if tail is not None:
        asked = rows.index_select(0, tail.slots)
        rest = products.attend(asked, tail.keys, tail.values, _by_group(tail.bias, groups))
        found = found.with_part_of(tail.slots, rest)
    return found.values.reshape(slots, heads, -1)


def _attend_to_shared(
    rows: torch.Tensor, shared_slots: SharedSlots, shared: Sequence[Shared], products: Products
) -> Found:
    """Of the slots in `shared_slots`, in that order: [key heads, these slots, groups, head width or 1]."""
    groups = rows.shape[2]
    asked = rows.transpose(0, 1).index_select(1, shared_slots.slots)
    found: list[Found] = []
    for queries, each in zip(asked.split([each.users for each in shared], dim=1), shared, strict=True):
        bias = None if each.bias is None else each.bias.repeat_interleave(groups, dim=0)
        part = products.attend_with_many(queries.flatten(1, 2), each.keys, each.values, bias)
        found.append(Found(*(side.unflatten(1, (-1, groups)) for side in part)))
    return Found(torch.cat([each.values for each in found], dim=1), torch.cat([each.total for each in found], dim=1))


def _by_group(bias: torch.Tensor, groups: int) -> torch.Tensor:
    """[slots, key heads or 1, groups or 1, tokens] from [slots, heads or 1, tokens]."""
    return bias[:, None] if bias.shape[1] == 1 else bias.unflatten(1, (-1, groups))


@functools.cache
def _blocks() -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    """torch's attention in blocks for CPUs, which also returns the logarithms of the sums; it has no public name."""
    return getattr(torch.ops.aten, "_scaled_dot_product_flash_attention_for_cpu")  # noqa: B009 - private in torch


@functools.cache
def has_blocks() -> bool:
    """Whether that is available here and correct."""
    query, keys = torch.linspace(-1, 1, 2 * 5 * 8).view(2, 5, 8), torch.linspace(-2, 1, 2 * 7 * 8).view(2, 7, 8)
    bias = (torch.arange(7) > torch.arange(2, 7)[:, None]) * HIDDEN
    expected = Products(0.5).attend(query, keys, keys, bias)
    try:
        found, total = _blocks()(query[None], keys[None], keys[None], attn_mask=bias, scale=0.5)
    except (RuntimeError, NotImplementedError, AttributeError, TypeError):  # a torch without it
        return False
    sides = ((found[0], expected.values), (total[0, ..., None], expected.total))
    return all(one.shape == other.shape and torch.allclose(one, other, atol=1e-5) for one, other in sides)


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
