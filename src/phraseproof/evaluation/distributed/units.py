"""Divides cells into units of work: sized by tokens, prompts with common beginnings in one unit.

The division is a function of the plan alone, not of the number of workers or of the clock. Which prompts are computed
together can move the last bits of a score, so equal commands must make equal units.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Final, NamedTuple

SMALLEST_TOKENS: Final = 16_384
LARGEST_TOKENS: Final = 524_288
_UNITS_OF_A_PLAN: Final = 64
"""The number of units of a plan that is neither very small nor very large."""

_SHARED: Final = 0.5
"""Prompts of one example whose beginnings agree for this share of the shorter one belong in one unit."""


class CellWork(NamedTuple):
    """What a cell still needs.

    Attributes:
        place: of the cell in the plan.
        task: its task.
        examples: the places of its examples that are not stored, in increasing order.
        tokens: about how many tokens one of them takes.
        opening: the prompt of its first example.
    """

    place: int
    task: str
    examples: Sequence[int]
    tokens: float
    opening: str


class UnitPart(NamedTuple):
    """Some examples of a cell.

    Attributes:
        cell: the cell's place in the plan.
        examples: the places of the examples in its task.
    """

    cell: int
    examples: Sequence[int]


Unit = tuple[UnitPart, ...]
"""What a worker computes in one call of the model: parts of cells of one task, each cell once."""


def unit_limit(cells: Sequence[CellWork]) -> int:
    """The largest number of tokens of a unit, from the size of the whole."""
    total = sum(each.tokens * len(each.examples) for each in cells)
    return min(LARGEST_TOKENS, max(SMALLEST_TOKENS, math.ceil(total / _UNITS_OF_A_PLAN)))


def divide(cells: Sequence[CellWork], limit: float) -> list[Unit]:
    """Divide cells into units of about `limit` tokens at most.

    Cells of one task whose prompts begin equally are a family, as those of wordings that are written after the input.
    Small families of one task share a unit. A family that is too large is divided by examples, so that the prompts of
    one example stay together; a cell alone is a family, and so divided by examples as well.

    Args:
        cells: in the order of the plan.
        limit: in tokens, above zero. A single prompt may be larger.
    """
    units: list[Unit] = []
    for _, of_task in groupby((each for each in cells if each.examples), key=lambda each: each.task):
        open_unit: list[UnitPart] = []
        room = limit
        for family in _families(list(of_task)):
            size = _size(family)
            if size > limit:
                units += _slices(family, limit)
                continue
            if open_unit and size > room:
                units.append(tuple(open_unit))
                open_unit, room = [], limit
            open_unit += (UnitPart(each.place, each.examples) for each in family)
            room -= size
        if open_unit:
            units.append(tuple(open_unit))
    return units


def _families(cells: Sequence[CellWork]) -> Iterator[list[CellWork]]:
    """Cells of one task by the beginnings of their prompts; families in the order of their first cell."""
    families: list[list[CellWork]] = []
    for each in sorted(cells, key=lambda cell: (cell.opening, cell.place)):
        last = families[-1][-1] if families else None
        if last is not None and last.examples[0] == each.examples[0] and _begin_equally(last.opening, each.opening):
            families[-1].append(each)
        else:
            families.append([each])
    for family in families:
        family.sort(key=lambda cell: cell.place)
    yield from sorted(families, key=lambda family: family[0].place)


def _begin_equally(one: str, other: str) -> bool:
    shorter = min(len(one), len(other))
    shared = math.ceil(_SHARED * shorter)
    return shorter > 0 and one[:shared] == other[:shared]


def _size(cells: Sequence[CellWork]) -> float:
    return sum(each.tokens * len(each.examples) for each in cells)


def _slices(family: Sequence[CellWork], limit: float) -> Iterator[Unit]:
    """A family by examples; by cells as well, where the prompts of one example are too large together."""
    examples = sorted({place for each in family for place in each.examples})
    wanted = math.ceil(_size(family) / limit)
    if wanted > len(examples) and len(family) > 1:
        middle = len(family) // 2
        for half in (family[:middle], family[middle:]):
            yield from _slices(half, limit)
        return
    pieces = min(wanted, len(examples))
    bounds = [len(examples) * number // pieces for number in range(pieces + 1)]
    for start, stop in pairwise(bounds):
        first, last = examples[start], examples[stop - 1]
        unit = tuple(UnitPart(each.place, some) for each in family if (some := _between(each.examples, first, last)))
        if unit:
            yield unit


def _between(examples: Sequence[int], first: int, last: int) -> Sequence[int]:
    """Those of increasing places that lie between two, both included; a `range` where there is no gap."""
    found = [place for place in examples if first <= place <= last]
    return compact(found)


def compact(places: Sequence[int]) -> Sequence[int]:
    """Increasing places as a `range` where there is no gap: a plan of millions of prompts stays small."""
    if places and places[-1] - places[0] == len(places) - 1:
        return range(places[0], places[-1] + 1)
    return places
