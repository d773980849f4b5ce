"""Pairs without labels: only some examples keep their given answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from phraseproof.alignment.pairs.paraphrase_set import ParaphraseSet
from phraseproof.teaching.teacher import labelled_places


def keep_labels(pairs: Sequence[ParaphraseSet], count: int, seed: int = 0) -> list[ParaphraseSet]:
    """Remove the targets of all pairs but those of some examples per task.

    The pairs without a target are unlabelled: `align --labels none` lets the reference answer them.

    Args:
        pairs: pairs of tasks (`pairs_from_task`).
        count: the number of examples per task that keep their answers.
        seed: the seed of the draw, which is that of a teacher's labelled examples.

    Raises:
        UsageError: a task has fewer examples.
    """
    examples: dict[str, dict[str, None]] = {}
    for pair in pairs:
        examples.setdefault(pair.task, {})[pair.example] = None
    kept: set[tuple[str, str]] = set()
    for task, ids in examples.items():
        ordered = list(ids)
        kept |= {(task, ordered[place]) for place in labelled_places(task, ordered, count, seed)}
    return [pair if (pair.task, pair.example) in kept else replace(pair, target="", labelled=False) for pair in pairs]
