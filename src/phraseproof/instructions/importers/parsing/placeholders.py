"""Convert texts with the placeholders of `str.format` (`{field}`) to templates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from string import Formatter
from typing import NamedTuple

from phraseproof.instructions.importers.parsing.field_names import RESERVED
from phraseproof.instructions.importers.parsing.parse_result import UnrepresentableError, unreadable
from phraseproof.instructions.template import literal

_NAME = re.compile(r"[^\W\d]\w*")


class PatternSegment(NamedTuple):
    """Literal text, and the placeholder after it (None at the end)."""

    text: str
    name: str | None


def segments(pattern: str) -> Iterator[PatternSegment]:
    """The texts and placeholders of a pattern.

    Raises:
        UnrepresentableError: a lone brace, or a placeholder with an index, an attribute, a conversion or a format.
    """
    try:
        parsed = list(Formatter().parse(pattern))
    except ValueError as error:
        raise UnrepresentableError("its braces are not placeholders", str(error)) from None
    for text, name, form, conversion in parsed:
        if name is not None and (form or conversion or not _NAME.fullmatch(name)):
            unreadable("a placeholder that is not the name of a field", f"{{{name}}}")
        yield PatternSegment(text, name)


def names(pattern: str) -> list[str]:
    """The placeholders of a pattern, in order."""
    return [segment.name for segment in segments(pattern) if segment.name is not None]


def to_template(pattern: str, known: Mapping[str, str], fields: Mapping[str, str]) -> str:
    """Convert a pattern to a template.

    Args:
        pattern: text with placeholders.
        known: placeholders that are not fields -> their template (`{options_}` for the option list).
        fields: the pattern's name of a field -> the user's.

    Raises:
        UnrepresentableError: a field has the name of a built-in of the template language.
    """
    written: list[str] = []
    for text, name in segments(pattern):
        written.append(literal(text))
        if name is None:
            continue
        field = fields.get(name, name)
        if name not in known and field in RESERVED:
            unreadable("a field has the name of a built-in of the template language", name)
        written.append(known.get(name, f"{{{{ {field} }}}}"))
    return "".join(written)


def numbered_segments(pattern: str) -> Iterator[tuple[str, str | int | None]]:
    """Like `segments`, but with positional placeholders (`{}`, `{0}`), numbered as by `str.format`."""
    place = 0
    for text, name, form, conversion in Formatter().parse(pattern):
        if name is None:
            yield text, None
            continue
        if form or conversion or not (name == "" or name.isdecimal() or _NAME.fullmatch(name)):
            unreadable("a placeholder that is not the name of a field", f"{{{name}}}")
        if name == "":
            yield text, place
            place += 1
        else:
            yield text, int(name) if name.isdecimal() else name
