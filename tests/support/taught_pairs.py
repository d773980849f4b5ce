"""Pairs of the examples that the runs of `ensemble_runs` hold."""

from __future__ import annotations

from phraseproof.alignment.pairs import ParaphraseSet, TextOrigin
from support.ensemble_runs import LABELS, right_options


def pairs_of(task: str, examples: int, *, reference: str = "ours/0") -> list[ParaphraseSet]:
    """One pair per example; the targets are the right options."""
    return [
        ParaphraseSet(
            "Say it.", ("Name it.",), f"ticket {number}", LABELS[right],
            origins=(TextOrigin("Say it.", reference, "Say it."), TextOrigin("Name it.", "ours/1", "Name it.")),
            options=LABELS, task=task, example=str(number),
        )
        for number, right in enumerate(right_options(examples))
    ]  # fmt: skip
