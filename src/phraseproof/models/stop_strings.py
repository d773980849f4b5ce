"""Stop strings: texts that end an answer, and are not part of it."""

from __future__ import annotations

from collections.abc import Sequence


def stops_at(text: str, stop: Sequence[str]) -> int | None:
    """Where the first of the stop strings begins in a text; `None` if it has none."""
    return min((place for each in stop if (place := text.find(each)) >= 0), default=None)


def before_stop(text: str, stop: Sequence[str]) -> str:
    """The text up to its first stop string, without white space at its ends; the same object if it has none.

    So a `CutText` stays one only where nothing ended it before the maximum number of tokens.
    """
    place = stops_at(text, stop)
    return text if place is None else text[:place].strip()
