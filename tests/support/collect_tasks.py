"""Tasks that wordings are collected for."""

from __future__ import annotations

from phraseproof.core import Example, Kind, Task

CHOICES = ("billing", "bug", "praise")


def tickets(*, kind: Kind = Kind.MULTI_CLASS, with_answer: bool = False) -> Task:
    """Four messages and the team that answers each; `with_answer` adds a field that gives it away."""
    texts = ("I was charged twice.", "It crashes.", "I love it!", "Refund me.")
    examples = tuple(
        Example(
            str(row),
            {"message": text, "sent_at": f"{row} May"} | ({"team": CHOICES[row % 3]} if with_answer else {}),
            CHOICES if kind.has_options else (),
            tuple(float(index == row % 3) for index in range(3)) if kind.has_options else (),
            reference=None if kind.has_options else CHOICES[row % 3],
        )
        for row, text in enumerate(texts)
    )
    return Task("tickets", kind, "tickets", examples)
