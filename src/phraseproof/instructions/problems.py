"""One thing to look at in a collection, as `phraseproof instructions validate` lists it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from phraseproof.core import Instruction

Level = Literal["error", "warning"]


class Problem(NamedTuple):
    """Something to look at.

    Attributes:
        level: `error` makes measurements wrong or impossible, `warning` may be intended.
        kind: in a word, for programs: `template`, `example`, `options`, `answers`, `gives-away`, `duplicate`,
            `near-duplicate`, `unused-field`.
        wording: its name.
        where: its place in the file.
        message: what is wrong.
    """

    level: Level
    kind: str
    wording: str
    where: str
    message: str


def problem_of(level: Level, kind: str, wording: Instruction, message: str, part: str | None = None) -> Problem:
    place = wording.origin or wording.name
    return Problem(level, kind, wording.name, f"{place}, {part}" if part else place, message)
