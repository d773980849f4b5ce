"""A budget of work per rendering of a template: a loop in a loop in a filter may be short to write and run for hours.

One unit is about one operation on one value, or one character that is handled; the largest budget takes a few seconds.
It depends on the template and the example alone, not on time: what renders on one machine renders on all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sized
from contextlib import contextmanager
from functools import wraps
from typing import cast

from jinja2.exceptions import SecurityError

MAX_WORK = 10_000_000
"""Units of work per rendering: for example, a loop of 1,000 steps over a text of 10,000 characters."""
PER_ITEM = 10
"""Units of work per item of a list, or character of a text, that is handled one by one."""


class _Left(threading.local):
    units: int = MAX_WORK
    whole: int = MAX_WORK


_left = _Left()


def renew() -> None:
    """Begin a rendering of this thread with the whole budget."""
    _left.units = _left.whole


@contextmanager
def limited(units: int) -> Generator[None]:
    """Give each rendering of this thread a smaller budget, for templates of people who are not known."""
    before = _left.whole
    _left.whole = min(units, before)
    try:
        yield
    finally:
        _left.whole = before


def charge(units: int) -> None:
    """Take work from the budget.

    Raises:
        SecurityError: nothing is left.
    """
    _left.units -= units
    if _left.units < 0:
        raise SecurityError(
            f"the template needs more than {_left.whole} steps of work (characters handled, and operations in loops)"
        )


def size(value: object) -> int:
    """The units of work of handling a value once."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list | tuple | dict | range):
        return PER_ITEM * len(cast("Sized", value))
    return 1


def charged(value: object) -> object:
    """The value itself, its size charged."""
    charge(size(value))
    return value


def charging(function: Callable[..., object], *, by_character: bool = False) -> Callable[..., object]:
    """A function that charges the sizes of its arguments and of its result, item by item where that is lazy.

    Args:
        function: a filter or test.
        by_character: it handles each character of a text as a separate item.
    """
    per_character = PER_ITEM if by_character else 1

    @wraps(function)  # also its attributes: Jinja reads from them whether it takes the context
    def call(*args: object, **kwargs: object) -> object:
        for value in (*args, *kwargs.values()):
            charge(size(value) * (per_character if isinstance(value, str) else 1))
        result = function(*args, **kwargs)
        if isinstance(result, Iterator):
            return _item_by_item(cast("Iterator[object]", result))
        charge(size(result))
        return result

    return call


def _item_by_item(items: Iterator[object]) -> Iterator[object]:
    for item in items:
        charge(PER_ITEM)
        yield item
