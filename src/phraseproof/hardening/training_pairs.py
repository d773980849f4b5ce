"""The pairs of a search: every answer form of the training wordings has its own reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from phraseproof.alignment.pairs import pairs_from_task
from phraseproof.alignment.pairs.paraphrase_set import ParaphraseSet, wording_names
from phraseproof.core import Instruction, Task
from phraseproof.errors import InstructionError, UsageError
from phraseproof.hardening.search_plan import MeasuredSet


class TrainingPairs(NamedTuple):
    """What a training reads.

    Attributes:
        pairs: of all tasks.
        references: by task the wordings that others are compared with, one for every answer form.
        unpaired: the wordings that no other wording of the same answer form can be paired with.
    """

    pairs: tuple[ParaphraseSet, ...]
    references: Mapping[str, tuple[str, ...]]
    unpaired: tuple[str, ...]


def make_pairs(
    of: MeasuredSet, scores: Mapping[tuple[str, str], float], *, limit: int | None, seed: int
) -> TrainingPairs:
    """Pair the wordings of a set, on its examples.

    Paired wordings must write their answers in the same way. So each task has a reference for every answer form, such
    as letters and texts: the wording of this form with the best score.

    Args:
        of: the examples and wordings to train on.
        scores: by task and name of the wording.
        limit: the maximum number of pairs per task.
        seed: of the draw of pairs.

    Raises:
        UsageError: no two of a task's wordings can be paired.
    """
    pairs: list[ParaphraseSet] = []
    references: dict[str, tuple[str, ...]] = {}
    unpaired: list[str] = []
    for task in of.tasks:
        ranked = sorted(of.wordings[task.name], key=lambda item: -scores[task.name, item.name])
        found, lone = _references(task, ranked)
        pairs += pairs_from_task(task, found, ranked, limit=limit, seed=seed)
        references[task.name] = tuple(item.name for item in found)
        unpaired += lone
    return TrainingPairs(tuple(pairs), references, tuple(dict.fromkeys(unpaired)))


def _references(task: Task, ranked: Sequence[Instruction]) -> tuple[list[Instruction], list[str]]:
    """The best wording of every answer form, and the names of the wordings without a partner."""
    found: list[Instruction] = []
    covered: set[str] = set()
    lone: list[str] = []
    problem: InstructionError | None = None
    for wording in ranked:
        if wording.name in covered:
            continue
        try:
            made = pairs_from_task(task, [wording], ranked, limit=1)
        except InstructionError as error:
            problem = problem or error
            lone.append(wording.name)
            continue
        found.append(wording)
        covered.update(wording_names(made))
    if not found:
        raise UsageError(
            f"no two training wordings of task {task.name!r} can be paired",
            hint="Paired wordings must write their answers in the same way: as letters, or as texts",
        ) from problem
    return found, lone
