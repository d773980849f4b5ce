"""Rename fields from a data set's names to names that a wording can use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from phraseproof.instructions.importers.parsing import jinja_segments as jinja
from phraseproof.instructions.importers.parsing.parse_result import unreadable
from phraseproof.instructions.template import ANSWER_BUILTINS, BUILTINS

_PARTS = {"text": "choices", "label": "letters"}


def renamed_fields(tokens: Sequence[jinja.Token], fields: Mapping[str, str]) -> list[jinja.Token]:
    """Rename fields in an expression to the user's names, `choices.text` and `choices.label` to built-ins.

    Args:
        tokens: the expression.
        fields: the data set's name of a field -> the user's.

    Raises:
        UnrepresentableError: the data set's `choices` are neither a list nor texts with labels.
    """
    return jinja.rename(_choices(list(tokens)), fields)


def _choices(tokens: list[jinja.Token]) -> list[jinja.Token]:
    """Replace `choices.text`, `choices["text"]` and `choices.label` by `choices` and `letters`."""
    written: list[jinja.Token] = []
    index = 0
    while index < len(tokens):
        token = tokens[index]
        here = index
        index += 1
        if not (
            token.kind == "name" and token.text == "choices" and jinja.names(tokens[: here + 1][-2:]) >= {"choices"}
        ):
            written.append(token)
            continue
        part, length = _part(tokens[here + 1 :])
        if part is None:
            written.append(token)
        elif part in _PARTS:
            written.append(jinja.Token("code", _PARTS[part]))
            index += length
        else:
            unreadable("its field `choices` is not a list of options", f"choices.{part}")
    return written


def _part(rest: Sequence[jinja.Token]) -> tuple[str | None, int]:
    """The attribute that follows a name (`.text` or `["text"]`), and its number of tokens."""
    if len(rest) >= 2 and rest[0].text == "." and rest[1].kind == "name":
        is_method = len(rest) > 2 and rest[2].text == "("
        return (None, 0) if is_method else (rest[1].text, 2)
    if len(rest) >= 3 and rest[0].text == "[" and rest[1].kind == "string" and rest[2].text == "]":
        return rest[1].text.strip("'\""), 3
    return None, 0


RESERVED = frozenset((*BUILTINS, *ANSWER_BUILTINS))
"""Names that no field of an example can have."""
