"""Texts with references: of usual length, short, empty, without a match, and with one or two references each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from phraseproof.core import Outcome

_ROWS = (
    ("The keys were found by a small child.", ("A small child found the keys.", "The keys were found.")),
    ("The library is closed on Monday, and open on all other days.", ("The library is closed on Monday.",)),
    ("Bread is sold from six in the morning.", ("Bread is sold from six.", "You can buy bread from six o'clock on.")),
    ("", ("Nothing is written here.",)),
    ("Zug nach Z\u00fcrich f\u00e4hrt um 10:30 Uhr", ("Der Zug nach Z\u00fcrich f\u00e4hrt um 10:30 Uhr ab.",)),
    ("yes", ("yes",)),
    ("completely different words", ("none of them is here",)),
)


def corpora() -> list[list[Outcome]]:
    """Corpora of all texts, of one good text, of short texts, of an empty one, and of texts without a match."""
    rows = [
        Outcome(str(number), 0.0, text=text, reference=references[0], other_references=references[1:])
        for number, (text, references) in enumerate(_ROWS)
    ]
    return [rows, rows[1:2], rows[5:7], rows[3:5], [rows[6]] * 3]


def references_by_place(corpus: Sequence[Outcome]) -> list[list[str]]:
    """The references as sacrebleu takes them: one list for each place, with `None` where a text has fewer."""
    places = max(len(outcome.references) for outcome in corpus)
    # sacrebleu's types do not say that None is allowed.
    return [
        [outcome.references[place] if place < len(outcome.references) else cast("str", None) for outcome in corpus]
        for place in range(places)
    ]
