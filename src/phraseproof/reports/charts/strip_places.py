"""Where the dots of a strip chart's lane are, which places have more dots than fit, and which numbers have room.

Places are in the unit of the values; `width` is that of all lanes, in the same unit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

_COLUMNS = 90
"""Dots of values in one of this number of columns are moved apart, or become one line."""

_STACKED = 6
"""The largest number of steps by which overlapping dots are moved up or down."""

_CROWDED = 300
"""A lane with more wordings than this has lines instead of dots where dots would cover one another."""

_DOTS_IN_A_PLACE = 5
"""The largest number of dots in one place of such a lane."""

_COUNTED = 3
"""From this number of dots in one place on, their number is printed above them."""

_DIGIT = 6.2
_GAP = 4
"""The width of a digit and the least space between two numbers, in pixels."""

_WIDE, _NARROW = 800, 270
"""Pixels of the lanes on a wide page and on the narrowest one."""


class PlaceNumber(NamedTuple):
    """A number that is printed above a place.

    Attributes:
        value: of the place, on the axis of scores.
        wordings: how many are there.
        is_narrow: whether a narrow page has room for it as well.
    """

    value: float
    wordings: int
    is_narrow: bool


def coincident(values: Sequence[float], width: float) -> list[PlaceNumber]:
    """Values that many dots have, how many, and whether a narrow page has room for the number.

    Of values so close that their numbers would overlap, the largest number.

    Args:
        values: of a lane.
        width: of all lanes, in the unit of the values.
    """
    counted = [each for each in Counter(values).most_common() if each[1] >= _COUNTED]
    longest = len(f"{max((count for _, count in counted), default=0):,}")
    shown, narrow = (
        _apart(counted, width * max(least, (_DIGIT * longest + _GAP) / pixels))
        for least, pixels in ((1 / 40, _WIDE), (0, _NARROW))
    )
    return [PlaceNumber(value, count, value in narrow) for value, count in shown.items()]


def _apart(counted: Sequence[tuple[float, int]], close: float) -> dict[float, int]:
    """The largest counts whose values are farther apart than `close`."""
    shown: dict[float, int] = {}
    for value, count in counted:
        if all(abs(value - other) > close for other in shown):
            shown[value] = count
    return shown


def column_of(value: float, width: float) -> int:
    """The column of a value."""
    return round(_COLUMNS * value / width) if width > 0 else 0


def crowded_places(values: Sequence[float], width: float) -> dict[int, list[float]]:
    """By column the values of those that hold more values than dots fit; none in a lane of few values."""
    found: dict[int, list[float]] = {}
    if len(values) > _CROWDED:
        for value in values:
            found.setdefault(column_of(value, width), []).append(value)
    return {column: of for column, of in found.items() if len(of) > _DOTS_IN_A_PLACE}


def largest_place(crowds: Mapping[int, Sequence[float]]) -> PlaceNumber:
    """The number of the crowded place with most wordings."""
    most = max(crowds.values(), key=len)
    return PlaceNumber(fmean(most), len(most), True)


def pushed_apart(values: Sequence[float], width: float) -> list[float]:
    """How far each dot moves off its lane's middle, -1 to 1, so that equal values do not hide one another."""
    taken: dict[int, int] = {}
    order: list[int] = []
    bins = [column_of(value, width) for value in values]
    for place in bins:
        order.append(taken.get(place, 0))
        taken[place] = order[-1] + 1
    pushes: list[float] = []
    for place, number in zip(bins, order, strict=True):
        step = 1 / max(_STACKED, (taken[place] + 1) // 2)
        side = 1 if number % 2 else -1
        pushes.append(side * ((number + 1) // 2) * step)
    return pushes
