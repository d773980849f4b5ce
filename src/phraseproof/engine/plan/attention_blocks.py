"""Which sequences' attention is computed together: a few padded blocks instead of one call per sequence. Plain data.

On an accelerator a call costs more than its arithmetic, so sequences of similar size are computed together, each padded
to the largest among them. On a CPU one call per sequence is faster, and none of this is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_PAIRS = 2**20
"""The largest number of query-key pairs in a block: its masks and copied keys take memory."""

FEWEST_QUERIES, FEWEST_KEYS = 16, 64
"""Smaller sequences count as this large in size classes and in the limit of a block: one more call costs more than
padding them, and copied keys take memory however few the queries."""

_KEYS_MULTIPLE = 8
"""Masks have a multiple of this number of keys: kernels on accelerators read masks in aligned pieces."""


class AttentionQuery(NamedTuple):
    """The attention of one sequence: which places query which.

    Attributes:
        asking: the places of its queries, at least one.
        seen: the places of its keys.
        visible: [asking, seen], each query seeing at least one key; `None` where every query sees every key.
        causal: each query sees the keys up to its own number; then `visible` is `None` and not what is meant.
    """

    asking: NDArray[np.int64]
    seen: NDArray[np.int64]
    visible: NDArray[np.bool_] | None = None
    causal: bool = False


class AttentionBlock(NamedTuple):
    """Several sequences padded to one size. Padding is computed too, and its results are dropped.

    Attributes:
        units: the numbers of the sequences.
        asking: [units, queries]: places; where there is none, the first place of all.
        seen: [units, keys]: likewise.
        visible: [units, queries, keys]; padded keys are seen by padded queries alone. `None` where all are seen.
        causal: as for an `AttentionQuery`, with as many queries as keys.
    """

    units: tuple[int, ...]
    asking: NDArray[np.int64]
    seen: NDArray[np.int64]
    visible: NDArray[np.bool_] | None
    causal: bool


class BlockPlan(NamedTuple):
    """The attention of a whole row.

    Attributes:
        blocks: in order.
        where: for each place of the row, the number of its answer among those of all blocks, laid end to end; one after
            the last where nothing is asked.
    """

    blocks: list[AttentionBlock]
    where: NDArray[np.int64]


def plan_blocks(asks: Sequence[AttentionQuery], places: int, *, largest: int = MOST_PAIRS) -> BlockPlan:
    """Put sequences into blocks.

    Queries per sequence differ by less than one half in a block, and so do keys, the smallest sizes (`FEWEST_QUERIES`,
    `FEWEST_KEYS`) left out: less than 2.25 times the pairs are computed, on MMLU about 1.2 times. The number of blocks
    depends on the sizes of sequences, not on their number, until a block is full.

    Args:
        asks: the sequences; no place has two queries.
        places: how many places the row has.
        largest: the most pairs of a query and a key in a block; one unit alone always fits.
    """
    groups: dict[tuple[bool, int, int], list[int]] = {}
    for index, ask in enumerate(asks):
        size = (
            ask.causal,
            size_class(max(len(ask.asking), FEWEST_QUERIES)),
            size_class(max(len(ask.seen), FEWEST_KEYS)),
        )
        groups.setdefault(size, []).append(index)
    blocks: list[AttentionBlock] = []
    for size in sorted(groups):
        units = groups[size]
        queries = max(len(asks[unit].asking) for unit in units)
        keys = max(len(asks[unit].seen) for unit in units)
        step = max(1, largest // (max(queries, FEWEST_QUERIES) * max(keys, FEWEST_KEYS)))
        blocks += [_block(asks, units[first : first + step]) for first in range(0, len(units), step)]
    where = np.full(places, sum(block.asking.size for block in blocks), dtype=np.int64)
    start = 0
    for block in blocks:
        for unit in block.units:
            where[asks[unit].asking] = np.arange(start, start + len(asks[unit].asking))
            start += block.asking.shape[1]
    return BlockPlan(blocks, where)


def size_class(size: int) -> int:
    """The smallest of 1, 2, 3, 4, 6, 8, 12, 16, 24 ... that is not below: one of a class is under 1.5 times another."""
    power = 1 << max(0, size - 1).bit_length()
    return power * 3 // 4 if power >= 4 and size <= power * 3 // 4 else power


def _block(asks: Sequence[AttentionQuery], units: Sequence[int]) -> AttentionBlock:
    queries = max(len(asks[unit].asking) for unit in units)
    keys = max(len(asks[unit].seen) for unit in units)
    causal = asks[units[0]].causal
    # A causal block needs no mask: what is padded comes after all that is real.
    simple = causal or all(
        ask.visible is None and len(ask.asking) == queries and len(ask.seen) == keys
        for ask in (asks[unit] for unit in units)
    )
    if not simple:
        keys += -keys % _KEYS_MULTIPLE
    asking = np.zeros((len(units), queries), dtype=np.int64)
    seen = np.zeros((len(units), keys), dtype=np.int64)
    visible = None if simple else np.zeros((len(units), queries, keys), dtype=np.bool_)
    for row, unit in enumerate(units):
        ask = asks[unit]
        asking[row, : len(ask.asking)] = ask.asking
        seen[row, : len(ask.seen)] = ask.seen
        if visible is not None:
            visible[row, : len(ask.asking), : len(ask.seen)] = True if ask.visible is None else ask.visible
            visible[row, len(ask.asking) :] = True
    return AttentionBlock(tuple(units), asking, seen, visible, causal)
