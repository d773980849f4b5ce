"""Which answers were given where which was right: confusion matrices of a few wordings of a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from phraseproof.analysis.classification import accuracy
from phraseproof.reports.build.answers import WordingAnswers, by_wording, constant_answers

if TYPE_CHECKING:
    from phraseproof.analysis.answers import TaskAnswers

MOST_CLASSES = 12
MOST_TASKS = 12


class MatrixRow(NamedTuple):
    """The answers to the examples of one right class: how many of each class, and their shares from 0 to 1."""

    right: str
    counts: tuple[int, ...]
    shares: tuple[float, ...]


class Matrix(NamedTuple):
    """One wording's answers by right class.

    Attributes:
        role: `current`, `best` or `worst`, or several of them.
        accuracy: from 0 to 1, of the counted answers.
        given: the answer given most, macro-F1 and balanced accuracy.
    """

    role: str
    wording: str
    group: str
    accuracy: float
    given: WordingAnswers
    rows: tuple[MatrixRow, ...]


class TaskMatrices(NamedTuple):
    """The matrices of one task; `num_constant` of its `num_wordings` wordings give one answer nearly always."""

    task: str
    classes: tuple[str, ...]
    num_wordings: int
    num_constant: int
    matrices: tuple[Matrix, ...]


def task_matrices(answers: Sequence[TaskAnswers], current: str | None = None) -> list[TaskMatrices]:
    """The matrices of the tasks with few enough classes, those with most constant wordings first.

    Args:
        answers: of one run at one number of demonstrations.
        current: the wording in use today, which is shown too.
    """
    few = [task for task in answers if 1 < len(task.classes) <= MOST_CLASSES]
    found = [_matrices(task, current) for task in few]
    return sorted(found, key=lambda task: -task.num_constant)[:MOST_TASKS]


def _matrices(task: TaskAnswers, current: str | None) -> TaskMatrices:
    scores = accuracy(task.confusion)
    rows = {"best": int(scores.argmax()), "worst": int(scores.argmin())}
    if current in task.wordings:
        rows = {"current": task.wordings.index(current), **rows}
    roles: dict[int, list[str]] = {}
    for role, row in rows.items():
        roles.setdefault(row, []).append(role)
    given = by_wording([task])
    return TaskMatrices(
        task.task,
        task.classes,
        len(task.wordings),
        len(constant_answers(task)),
        tuple(
            Matrix(
                " and ".join(names),
                task.wordings[row],
                task.groups[row],
                float(scores[row]),
                given[task.task, task.groups[row], task.wordings[row]],
                _rows(task, row),
            )
            for row, names in roles.items()
        ),
    )


def _rows(task: TaskAnswers, row: int) -> tuple[MatrixRow, ...]:
    counts = task.confusion[row]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return tuple(
        MatrixRow(name, tuple(of_class.tolist()), tuple(of_shares.tolist()))
        for name, of_class, of_shares in zip(task.classes, counts, shares, strict=True)
    )
