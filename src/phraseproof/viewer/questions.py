"""What an example asks, in a few words: the part of its prompt that other examples do not share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from phraseproof.errors import PhraseproofError
from phraseproof.viewer.index import RunIndex
from phraseproof.viewer.prompts import rebuilt_prompts
from phraseproof.viewer.rows import StoredRow

LONGEST = 140
"""Characters of a question that are shown."""


def questions(index: RunIndex, rows: Mapping[StoredRow, Mapping[str, Any]]) -> dict[int, str]:
    """By example its question on one line; nothing for examples whose prompt is neither stored nor can be rendered.

    Args:
        rows: an outcome of each example, with the columns `example_id` and `prompt`.
    """
    by_cell: dict[int, list[StoredRow]] = {}
    for place in rows:
        by_cell.setdefault(place.cell, []).append(place)
    found: dict[int, str] = {}
    for cell, places in by_cell.items():
        texts = [rows[place]["prompt"] for place in places]
        if None in texts:
            try:
                prompts = rebuilt_prompts(index.run, index.cells[cell], [rows[each]["example_id"] for each in places])
            except PhraseproofError:
                continue
            texts = [prompt.text for prompt in prompts]
        found.update(zip((place.example for place in places), without_shared_lines(texts), strict=True))
    return found


def without_shared_lines(texts: Sequence[str]) -> list[str]:
    """Texts on one line each, of at most `LONGEST` characters, without the first and last lines that all have."""
    lines = [text.strip().split("\n") for text in texts]
    first = _shared(lines) if len(texts) > 1 else 0
    rest = [each[first:] for each in lines]
    last = _shared([each[::-1] for each in rest]) if len(texts) > 1 else 0
    shown = [" ".join(" ".join(each[: len(each) - last]).split()) for each in rest]
    return [text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()}…" for text in shown]


def _shared(texts: Sequence[Sequence[str]]) -> int:
    """How many of the first lines all texts have."""
    return sum(1 for _ in takewhile(lambda lines: len(set(lines)) == 1, zip(*texts, strict=False)))
