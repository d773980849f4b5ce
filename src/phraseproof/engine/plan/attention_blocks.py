"""Groups sequences into a few padded blocks whose attention is computed together. Plain data.

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
"""The largest number of query-key pairs in a block. Its masks and copied keys take memory."""

FEWEST_QUERIES, FEWEST_KEYS = 16, 64
"""Smaller sequences count as this large in size classes and in the limit of a block: a further call costs more than
their padding, and copied keys take memory even for few queries."""

_KEYS_MULTIPLE = 8
"""Masks have a multiple of this number of keys: kernels on accelerators read masks in aligned pieces."""


class AttentionQuery(NamedTuple):
    """The attention of one sequence: which places of the row are its queries, and which its keys.

    Attributes:
        asking: the places of its queries, at least one.
        seen: the places of its keys.
        visible: [asking, seen], at least one key per query; `None` where every query sees every key.
        causal: each query sees the keys up to its own number; `visible` is then `None` and has no meaning.
    """

    asking: NDArray[np.int64]
    seen: NDArray[np.int64]
    visible: NDArray[np.bool_] | None = None
    causal: bool = False


class AttentionBlock(NamedTuple):
    """Several sequences padded to one size. Padding is computed too, and its results are not used.

    Attributes:
        units: the numbers of the sequences.
        asking: places of queries, [units, queries], padded with place 0.
        seen: places of keys, [units, keys], padded with place 0.
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
        blocks: the blocks, in the order of computation.
        where: for each place of the row, the index of its result among the concatenated results of all blocks; their
            number for a place without a query.
    """

    blocks: list[AttentionBlock]
    where: NDArray[np.int64]


def plan_blocks(asks: Sequence[AttentionQuery], places: int, *, largest: int = MOST_PAIRS) -> BlockPlan:
    """Group sequences into blocks.

    Above the smallest sizes (`FEWEST_QUERIES`, `FEWEST_KEYS`), the numbers of queries in a block differ by less than
    one half, and so do those of keys: less than 2.25 times the necessary pairs are computed, on MMLU about 1.2 times.
    The number of blocks depends on the sizes of sequences, not on their number, until a block is full.

    Args:
        asks: the sequences; no place has two queries.
        places: how many places the row has.
        largest: the most query-key pairs in a block; a single sequence always fits.
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
        # A class with many sequences is cut into several blocks, as memory grows with sequences x queries x keys.
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
    """The smallest of 1, 2, 3, 4, 6, 8, 12, 16, 24 ... that is at least `size`.

    Sizes of one class differ by a factor of less than 1.5; with powers of two it would be 2.
    """
    power = 1 << max(0, size - 1).bit_length()
    return power * 3 // 4 if power >= 4 and size <= power * 3 // 4 else power


def _block(asks: Sequence[AttentionQuery], units: Sequence[int]) -> AttentionBlock:
    queries = max(len(asks[unit].asking) for unit in units)
    keys = max(len(asks[unit].seen) for unit in units)
    causal = asks[units[0]].causal
    # A causal block needs no mask: padding comes after all real tokens, so no real token attends to it.
    simple = causal or all(
        ask.visible is None and len(ask.asking) == queries and len(ask.seen) == keys
        for ask in (asks[unit] for unit in units)
    )
    if not simple:
        keys += -keys % _KEYS_MULTIPLE
    # Padding repeats place 0, which always exists: what is computed from it is hidden or dropped.
    asking = np.zeros((len(units), queries), dtype=np.int64)
    seen = np.zeros((len(units), keys), dtype=np.int64)
    visible = None if simple else np.zeros((len(units), queries, keys), dtype=np.bool_)
    for row, unit in enumerate(units):
        ask = asks[unit]
        asking[row, : len(ask.asking)] = ask.asking
        seen[row, : len(ask.seen)] = ask.seen
        if visible is not None:
            visible[row, : len(ask.asking), : len(ask.seen)] = True if ask.visible is None else ask.visible
            # A padded query sees every key: a softmax over no keys is NaN.
            visible[row, len(ask.asking) :] = True
    return AttentionBlock(tuple(units), asking, seen, visible, causal)
