"""The values of `python_text.py` (texts, numbers, lists) and the operations on them, all bounded in size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from itertools import islice
from typing import Any, TypeAlias, cast

from phraseproof.instructions.importers.parsing import placeholders
from phraseproof.instructions.importers.parsing.parse_result import unreadable
from phraseproof.templates import filters

Value: TypeAlias = Any
"""A value of the interpreted function: text, number, list or mapping. Its type is checked when it is used."""

MAX_STEPS = 20_000
"""The maximum number of steps of a function and of iterations of a loop."""
MAX_TEXT = 100_000
"""The maximum length of a text or list."""
NOT_UNDERSTOOD = "its text is built in a way that is not understood"


def is_scalar(value: object) -> bool:
    """Whether a value is a text, a number or None."""
    return value is None or isinstance(value, str | int | float)


def scalar(value: Value) -> Value:
    """Check that a value can be a key or an index: a text, a number or None."""
    if not is_scalar(value):
        unreadable(NOT_UNDERSTOOD, "a list as a key")
    return value


def flat(value: Value) -> Value:
    """Check that a value to compare has no nested lists, whose comparison could take very long."""
    members: Value = value
    if isinstance(value, list | tuple | dict | range) and not all(map(is_scalar, members)):
        unreadable(NOT_UNDERSTOOD, "a comparison of lists in lists")
    return members


def text_of(value: Value) -> str:
    """Convert a text or a number to text."""
    return str(value) if is_scalar(value) else unreadable(NOT_UNDERSTOOD, "a list written as text")


def bounded(text: str) -> str:
    """Check that a text is at most `MAX_TEXT` long."""
    return text if len(text) <= MAX_TEXT else unreadable(NOT_UNDERSTOOD, f"more than {MAX_TEXT} characters")


def added(left: Value, right: Value) -> Value:
    """`left + right`, at most `MAX_TEXT` long."""
    sizes = [len(cast(Sized, side)) for side in (left, right) if isinstance(side, str | list | tuple)]
    if sum(sizes) > MAX_TEXT:
        unreadable(NOT_UNDERSTOOD, f"more than {MAX_TEXT} characters")
    return left + right


def items(values: Value) -> Iterable[Value]:
    """The items that a loop goes through, at most `MAX_STEPS`."""
    if not isinstance(values, str | list | tuple | range | dict):
        unreadable(NOT_UNDERSTOOD, "a loop over something other than a list")
    return islice(cast(Iterable[Value], values), MAX_STEPS)


def text_method(owner: str, name: str, arguments: Sequence[Value], named: Mapping[str, Value]) -> Value:
    """Call a method of a text. Methods that can build huge texts are bounded."""
    if name == "format":
        return _formatted(owner, arguments, named)
    if name == "join":
        return bounded(filters.join(map(text_of, items(arguments[0])), owner))
    if name == "replace":
        return bounded(filters.replace(owner, *map(scalar, arguments)))
    return getattr(owner, name)(*map(flat, arguments), **named)


def _formatted(text: str, arguments: Sequence[Value], named: Mapping[str, Value]) -> str:
    """`text.format(...)` for plain placeholders; an attribute or an item of an argument is never looked up."""
    written: list[str] = []
    for literal, name in placeholders.numbered_segments(text):
        written.append(literal)
        if name is not None:
            written.append(text_of(arguments[name] if isinstance(name, int) else named[name]))
    return bounded("".join(written))


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    return numbers if len(numbers) <= MAX_STEPS else unreadable(NOT_UNDERSTOOD, "a long range")


def _enumerate(values: Value, start: int = 0) -> list[tuple[int, Value]]:
    return list(enumerate(items(values), start))


def _zip(*values: Value) -> list[tuple[Value, ...]]:
    return list(zip(*map(items, values), strict=False))


def _int(value: Value) -> int:
    return int(scalar(value))


def _list(values: Value = ()) -> list[Value]:
    return list(items(values))


def _sorted(values: Value) -> list[Value]:
    return sorted(flat(list(items(values))))


FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "len": len,
    "range": _range,
    "enumerate": _enumerate,
    "zip": _zip,
    "chr": chr,
    "ord": ord,
    "str": text_of,
    "int": _int,
    "list": _list,
    "sorted": _sorted,
}
"""The functions that may be called by their names."""
