"""The environment of templates: Jinja's immutable sandbox with fewer features, because collections may be untrusted.

A template is data, not a program. Only listed statements, filters, tests and methods of texts, lists and mappings are
allowed. Loops, texts, lists and numbers are bounded. A template cannot reach Python's objects or change its values; it
always gives the same text, and terminates.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sized
from functools import lru_cache
from itertools import islice
from typing import Any, cast

from jinja2 import StrictUndefined, Undefined
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS

from phraseproof.templates import filters
from phraseproof.templates.work_budget import charge, charged, charging, size

MAX_LOOP = 1_000
"""The maximum number of iterations of one loop."""
MAX_NUMBER = 10**12
"""The largest absolute value of a number in a multiplication or a power, and of its result."""

# Names under which parts of the language are filters; no template can spell them.
LOOP_FILTER = "for"
ITEM_FILTER = "[]"
OPERAND_FILTER = "=="

_BY_CHARACTER = frozenset(("list", "map", "max", "min", "reject", "reverse", "select", "sort", "sum", "unique"))
"""Filters that take a text apart into characters."""


_TESTS = (
    *("defined", "undefined", "none", "true", "false", "boolean", "number", "integer", "float", "string", "mapping"),
    *("sequence", "iterable", "odd", "even", "divisibleby", "lower", "upper", "in", "equalto", "eq", "==", "ne", "!="),
    *("greaterthan", "gt", ">", "ge", ">=", "lessthan", "lt", "<", "le", "<="),
)

_TEXT_METHODS = (
    *("capitalize", "casefold", "count", "endswith", "find", "index", "isalnum", "isalpha", "isdigit", "islower"),
    *("isspace", "istitle", "isupper", "join", "lower", "lstrip", "partition", "removeprefix", "removesuffix"),
    *("replace", "rfind", "rindex", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip"),
    *("swapcase", "title", "upper"),
)
_LOOP_ATTRIBUTES = (
    *("changed", "cycle", "depth", "depth0", "first", "index", "index0", "last", "length", "nextitem", "previtem"),
    *("revindex", "revindex0"),
)

_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(_TEXT_METHODS),
    dict: frozenset(("get", "items", "keys", "values")),
    list: frozenset(("count", "index")),
    tuple: frozenset(("count", "index")),
    LoopContext: frozenset(_LOOP_ATTRIBUTES),
}


def bounded_range(*bounds: int) -> range:
    """`range`, refusing more than `MAX_LOOP` numbers."""
    numbers = range(*bounds)
    if len(numbers) > MAX_LOOP:
        raise SecurityError(f"range of {len(numbers)} numbers, more than {MAX_LOOP}")
    return numbers


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox with lists of allowed features instead of forbidden ones."""

    intercepted_binops = frozenset(("+", "*", "**", "%"))

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined,
            keep_trailing_newline=True,
            autoescape=False,
            finalize=filters.finite,
            loader=None,
            cache_size=0,
        )
        self.globals = {"range": bounded_range}
        self.filters = {
            **{
                name: charging(each, by_character=name in _BY_CHARACTER) for name, each in filters.KNOWN_FILTERS.items()
            },
            filters.CONCATENATE: charging(filters.join),
            LOOP_FILTER: _bounded_loop,
            ITEM_FILTER: filters.single,
            OPERAND_FILTER: charged,
        }
        self.tests = {name: charging(TESTS[name]) for name in _TESTS}

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        """Whether `obj.attr` is one of the few listed methods."""
        del value
        return attr in _methods(obj)

    def is_safe_callable(self, obj: object) -> bool:
        """Whether `obj` is `range` or one of the few listed methods."""
        if obj is bounded_range:
            return True
        if isinstance(obj, types.BuiltinMethodType | types.MethodType):
            return obj.__name__ in _methods(obj.__self__)
        return False

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`, which copies the text or list if `argument` is a slice."""
        if isinstance(argument, slice):
            charge(size(obj))
        return super().getitem(obj, cast("Any", argument))

    def wrap_str_format(self, value: object) -> None:
        """Do nothing: `is_safe_attribute` refuses all format methods by name, so none needs wrapping."""
        del value

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a listed method; for those that can multiply a text, call the bounded version."""
        if isinstance(obj, Undefined):
            return obj()  # raises the error of its look-up
        owner = getattr(obj, "__self__", None)
        for value in (owner, *args, *kwargs.values()):
            charge(size(value))
        if isinstance(owner, str) and obj.__name__ == "replace":
            return filters.replace(owner, *args, **kwargs)
        if isinstance(owner, str) and obj.__name__ == "join":
            return filters.join(*args, separator=owner, **kwargs)
        result = super().call(context, obj, *args, **kwargs)
        charge(size(result))
        return result

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        """Compute `+`, `*`, `**` or `%` within bounds."""
        sizes = [_size(cast(Sized, side)) for side in (left, right) if isinstance(side, str | list | tuple)]
        if sizes and operator == "%":
            raise SecurityError("the operator % does not format text here; write the value where it belongs")
        if sizes and operator == "+":
            filters.bounded(sum(sizes))
        elif sizes and operator == "*":
            times = right if isinstance(right, int) else left
            filters.bounded(sizes[0] * times if isinstance(times, int) else 0)
        elif operator == "**" and isinstance(left, int | float) and isinstance(right, int | float):
            _bounded_power(left, right)
        result = super().call_binop(context, operator, left, right)
        charge(size(result))
        if isinstance(result, int) and abs(result) > MAX_NUMBER:
            raise SecurityError(f"a number beyond {MAX_NUMBER}")
        return result


def _methods(obj: object) -> frozenset[str]:
    return _METHODS.get(type(obj), frozenset())


def _size(value: Sized) -> int:
    return len(value)


def _bounded_power(base: float, exponent: float) -> None:
    if abs(exponent) > 40 or abs(base) > MAX_NUMBER:
        raise SecurityError(f"a power beyond {MAX_NUMBER}")


def _bounded_loop(values: Iterable[object], weight: int) -> list[object]:
    """The items of a loop, each charged by `weight`, the number of operations in the loop's body."""
    taken = list(islice(values, MAX_LOOP + 1))
    if len(taken) > MAX_LOOP:
        raise SecurityError(f"a loop of more than {MAX_LOOP} iterations")
    charge(len(taken) * weight)
    return taken


@lru_cache(maxsize=1)
def environment() -> TemplateEnvironment:
    """The environment of all templates; it has no state."""
    return TemplateEnvironment()
