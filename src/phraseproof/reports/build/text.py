"""Texts of users and models as one line or several, without control characters."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from unicodedata import bidirectional

# Invisible characters that scripts and emoji need: the two zero-width joiners.
_JOINERS = "\u200c\u200d"


def printable(text: str) -> str:
    """`text` on one line: white space becomes single spaces, and control characters are escaped.

    What a user or a model wrote may hold terminal escapes or right-to-left overrides; `\\x1b` is then four characters.
    """
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(
        character if character.isprintable() or character in _JOINERS else ascii(character)[1:-1] for character in line
    )


def isolated(text: str) -> str:
    """`printable`; right-to-left text is isolated from the sentence around it."""
    line = printable(text)
    return f"\u2068{line}\u2069" if any(bidirectional(character) in {"R", "AL"} for character in line) else line


def printable_lines(text: str) -> str:
    """`text` with its lines and spaces as they are; every other control character is escaped, as in `printable`."""
    return "".join(
        character if character.isprintable() or character in _JOINERS or character in "\n\t" else ascii(character)[1:-1]
        for character in text.replace("\r\n", "\n")
    )


def short_model_name(model: str) -> str:
    """The last part of a path, with the name of the adapter; a hub id, which has at most one slash, as it is."""
    name, joint, adapter = model.partition(" + adapter ")
    is_path = name.startswith(("/", ".", "~")) or name.count("/") > 1 or "\\" in name
    return (PurePath(name.replace("\\", "/")).name or name if is_path else name) + joint + adapter


def short_model_names(models: Iterable[str]) -> dict[str, str]:
    """By model its short name, or the whole one where several models share the short one."""
    distinct = list(dict.fromkeys(models))
    short = [short_model_name(model) for model in distinct]
    return {model: name if short.count(name) == 1 else model for model, name in zip(distinct, short, strict=True)}
