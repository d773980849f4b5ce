"""The filters of the template language.

Most are Jinja's own. Three are ours (`enumerate`, `verbalise`, `letter`), and four are rewritten so that they cannot
build huge texts. Filters with random results, or with access to objects, are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import cast

from jinja2.exceptions import SecurityError, TemplateRuntimeError
from jinja2.filters import FILTERS, do_indent
from jinja2.runtime import Context, Undefined
from jinja2.utils import pass_context

MAX_TEXT = 1_000_000
"""The maximum length in characters of a text that a template builds, intermediate texts included."""

_FROM_JINJA = (
    *(
        "abs",
        "capitalize",
        "count",
        "d",
        "default",
        "first",
        "float",
        "int",
        "items",
        "last",
        "length",
        "list",
        "lower",
    ),
    *("max", "min", "reject", "reverse", "round", "select", "sort", "string", "sum", "title", "trim", "truncate"),
    *("unique", "upper", "wordcount"),
)

_JINJA_MAP = cast(Callable[..., Iterable[object]], FILTERS["map"])

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_ROMAN = ((100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


def letter_of(index: int) -> str:
    """The enumeration label of option `index` (from 0): A to Z, then AA, AB and so on, as in a spreadsheet."""
    label = ""
    index += 1
    while index > 0:
        index, rest = divmod(index - 1, 26)
        label = chr(ord("A") + rest) + label
    return label


def roman_of(number: int) -> str:
    """The small Roman numeral of `number` (from 1): i, ii, iii, iv."""
    label = ""
    for value, digits in _ROMAN:
        times, number = divmod(number, value)
        label += digits * times
    return label


_LABELS: Mapping[str, Callable[[int], str]] = {
    "letter": letter_of,
    "lower": lambda index: letter_of(index).lower(),
    "number": lambda index: str(index + 1),
    "roman": lambda index: roman_of(index + 1),
}


def enumerate_options(
    options: Iterable[object], form: str = "{letter}. {choice}", *, separator: str = "\n", last: str | None = None
) -> str:
    """The filter `enumerate`: write all options in the same form.

    Args:
        options: the texts to enumerate, usually `choices`.
        form: how one option is written. `{choice}` is its text, `{letter}` for A, B, C, `{lower}` for a, b, c,
            `{number}` for 1, 2, 3, `{roman}` for i, ii, iii; `{{` and `}}` for a brace.
        separator: the text between two options.
        last: the text before the last option instead of `separator` (", and ").

    Raises:
        TemplateRuntimeError: `form` holds an unknown placeholder, or a single brace.
    """
    parts = _parts(form)
    written: list[str] = []
    total = 0
    for index, option in enumerate(options):
        text = "".join([part(index, str(option)) if callable(part) else part for part in parts])
        total += len(text) + len(separator)
        if total > MAX_TEXT:
            raise SecurityError(f"the options take more than {MAX_TEXT} characters")
        written.append(text)
    if last is not None and len(written) > 1:
        return separator.join(written[:-1]) + last + written[-1]
    return separator.join(written)


def labels_in(form: object) -> list[str]:
    """The kinds of labels in a form of `enumerate`."""
    return [name for name in _LABELS if f"{{{name}}}" in str(form)]


@lru_cache(maxsize=1024)
def _parts(form: str) -> tuple[str | Callable[[int, str], str], ...]:
    parts: list[str | Callable[[int, str], str]] = []
    end = 0
    for match in _PLACEHOLDER.finditer(form):
        parts.append(form[end : match.start()])
        end = match.end()
        whole, name = match.group(), match.group(1)
        if whole in {"{{", "}}"}:
            parts.append(whole[0])
        elif name == "choice":
            parts.append(_choice)
        elif name in _LABELS:
            parts.append(_label(_LABELS[name]))
        else:
            known = ", ".join(f"{{{known}}}" for known in ("choice", *_LABELS))
            raise TemplateRuntimeError(
                f"unknown placeholder {whole!r} in enumerate (known: {known}; a brace itself is written twice)"
            )
    parts.append(form[end:])
    return tuple(part for part in parts if part != "")


def _choice(_index: int, choice: str) -> str:
    return choice


def _label(make: Callable[[int], str]) -> Callable[[int, str], str]:
    known = [make(index) for index in range(26)]
    return lambda index, _choice: known[index] if index < 26 else make(index)


@pass_context
def verbalise(context: Context, choice: object, answers: object) -> str:
    """The filter `verbalise`, for `answer` templates: the answer for this choice.

    Args:
        context: the names and values of the template.
        choice: the choice's text.
        answers: one answer per choice, in order, or a mapping from a choice's text to its answer.

    Raises:
        TemplateRuntimeError: `answers` and the example's choices do not fit each other.
    """
    if isinstance(answers, dict):
        mapping = cast(dict[object, object], answers)
        if choice not in mapping:
            known = ", ".join(map(repr, mapping))
            raise TemplateRuntimeError(f"the mapping has no answer for the choice {choice!r} (it has: {known})")
        return str(mapping[choice])
    if not isinstance(answers, list | tuple):
        raise TemplateRuntimeError("verbalise takes a list or a mapping of answers")
    listed = cast(Sequence[object], answers)
    count = context["choice_count"]
    if len(listed) != count:
        raise TemplateRuntimeError(f"{len(listed)} answers are given for {count} choices")
    return str(listed[context["index"]])


def bounded(length: int) -> None:
    """Refuse to build a text (or list) longer than `MAX_TEXT`, before it is built."""
    if length > MAX_TEXT:
        raise SecurityError(f"the template would build more than {MAX_TEXT} characters")


def join(values: Iterable[object], separator: str = "") -> str:
    """The filter `join`, and the operator `~`: the values' texts, with `separator` in between."""
    texts = [str(value) for value in values]
    bounded(sum(map(len, texts)) + len(separator) * max(0, len(texts) - 1))
    return separator.join(texts)


def replace(text: object, old: str, new: str, count: int = -1) -> str:
    """The filter `replace`: replace every `old` in `text`, or the first `count`, by `new`."""
    text = str(text)
    found = text.count(old)
    bounded(len(text) + (found if count < 0 else min(found, count)) * (len(new) - len(old)))
    return text.replace(old, new, count)


def indent(text: object, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    """The filter `indent`, as in Jinja."""
    text = str(text)
    bounded(len(text) + len(text.splitlines() or [""]) * (width if isinstance(width, int) else len(width)))
    return do_indent(text, width, first, blank)


def finite(value: object) -> object:
    """Refuse values that no prompt should show: a missing value, or one whose text differs from run to run."""
    if isinstance(value, str | Undefined):
        return value
    if value is None:
        raise TemplateRuntimeError("a value is None: the example's field is empty (null)")
    if callable(value) or isinstance(value, Iterator):
        raise TemplateRuntimeError(
            f"{_type(cast(object, value))} is not text (a method needs (), what a filter gives one by one needs a join)"
        )
    return value


def _type(value: object) -> str:
    return type(value).__name__


def single(value: object) -> object:
    """Refuse a list as an item of a list that a template makes: lists of lists could grow without bound."""
    if isinstance(value, list | tuple | dict):
        raise SecurityError("a list in a list that the template makes")
    return value


@pass_context
def map_each(context: Context, values: Iterable[object], *args: object, **kwargs: object) -> Iterator[object]:
    """The filter `map`, as in Jinja, for results that are not lists."""
    return map(single, _JINJA_MAP(context, values, *args, **kwargs))


CONCATENATE = "~"
"""The name under which the operator `~` is a filter; no template can spell it."""

KNOWN_FILTERS: Mapping[str, Callable[..., object]] = {
    **{name: FILTERS[name] for name in _FROM_JINJA},
    "enumerate": enumerate_options,
    "verbalise": verbalise,
    "letter": letter_of,
    "join": join,
    "map": map_each,
    "replace": replace,
    "indent": indent,
}
"""All filters that a template may name."""
