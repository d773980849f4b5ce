"""Properties of answers other than their accuracy: chance, the best constant answer, wordings that give one answer.

Accuracies mean little without it: a model that answers every question with one label reaches that label's share of the
data under every wording. Tables, analyses, comparisons and pages show these lines before their numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from phraseproof.analysis.aggregation import Level, by_level
from phraseproof.analysis.classification import (
    CONSTANT_FROM,
    ConstantWording,
    answer_shares,
    balanced_accuracy,
    constant_wordings,
    macro_f1,
)
from phraseproof.analysis.result_rows import scaled
from phraseproof.errors import NotEnoughDataError
from phraseproof.reports.build.numbers import share_in_percent
from phraseproof.scoring.accuracy import METRIC as ACCURACY

if TYPE_CHECKING:
    from phraseproof.analysis.answers import TaskAnswers
    from phraseproof.scoring.metric import Metric
    from phraseproof.store.queries import Run

FEWEST_ANSWERS = 5
"""Fewer answers of a wording are often equal without being constant."""

_ANSWERS_NAMED = 3
_POSITIONS_NAMED = 10


class WordingAnswers(NamedTuple):
    """How one wording's answers are spread over the classes of a task.

    Attributes:
        answer: the class that is chosen most.
        share: of that class among the answers, from 0 to 1.
        macro_f1, balanced_accuracy: from 0 to 1; `None` where classes are positions, which have no meaning of their
            own.
    """

    answer: str
    share: float
    macro_f1: float | None
    balanced_accuracy: float | None


class Baseline(NamedTuple):
    """Accuracies that are possible without a model, as fractions: blind guessing, and the best constant answer."""

    chance: float
    majority: float


def answers_of(run: Run) -> tuple[TaskAnswers, ...]:
    """The answers of a run, by task and number of demonstrations; none of an imported run, or without options.

    Raises:
        RunError: no cell is done, or a cell is damaged.
    """
    from phraseproof.analysis.answers import load_answers

    try:
        return load_answers(run)
    except NotEnoughDataError:
        return ()


def at_shots(answers: Sequence[TaskAnswers], num_fewshot: int) -> tuple[TaskAnswers, ...]:
    """The tasks at one number of demonstrations."""
    return tuple(task for task in answers if task.num_fewshot == num_fewshot)


def within_row(answers: Sequence[TaskAnswers], level: Level, name: str) -> list[TaskAnswers]:
    """The tasks that a row of a table is about."""
    if level is Level.OVERALL:
        return list(answers)
    return [task for task in answers if name == (task.task if level is Level.TASK else task.category)]


def by_wording(answers: Sequence[TaskAnswers]) -> dict[tuple[str, str, str], WordingAnswers]:
    """By task, group and wording, how its answers are spread."""
    found: dict[tuple[str, str, str], WordingAnswers] = {}
    for task in answers:
        shares = answer_shares(task.confusion)
        f1, balanced = macro_f1(task.confusion), balanced_accuracy(task.confusion)
        for row, (group, wording) in enumerate(zip(task.groups, task.wordings, strict=True)):
            place = int(shares[row].argmax())
            found[task.task, group, wording] = WordingAnswers(
                task.classes[place],
                float(shares[row, place]),
                None if task.by_position else float(f1[row]),
                None if task.by_position else float(balanced[row]),
            )
    return found


def constant_answers(task: TaskAnswers) -> tuple[ConstantWording, ...]:
    """The wordings of a task that give one answer nearly always, where that is not what a right model does.

    None where nearly all right answers are one class, or where a wording has fewer than `FEWEST_ANSWERS` answers.
    """
    right = task.confusion.sum(axis=(0, 2))
    if task.confusion.sum(axis=(1, 2)).min() < FEWEST_ANSWERS or right.max() >= CONSTANT_FROM * right.sum():
        return ()
    return constant_wordings(task)


def answer_cells(found: WordingAnswers | None) -> list[str]:
    """Most chosen answer, macro-F1 and balanced accuracy as a table shows them; empty where there is none."""
    if found is None:
        return ["", "", ""]
    shares = ("" if value is None else share_in_percent(value) for value in (found.macro_f1, found.balanced_accuracy))
    return [f"{100 * found.share:.0f}% {found.answer}", *shares]


def answer_columns(found: WordingAnswers | None) -> dict[str, str | float | None]:
    """The same as CSV and JSON name them, in percent and full precision; nothing where there is none."""
    if found is None:
        return {}
    return {
        "most_chosen": found.answer,
        "most_chosen_percent": 100 * found.share,
        "macro_f1_percent": scaled(found.macro_f1, 100),
        "balanced_accuracy_percent": scaled(found.balanced_accuracy, 100),
    }


def baseline(answers: Sequence[TaskAnswers]) -> Baseline:
    """Means over tasks, then categories, as the overall row of a table."""
    levels = by_level(
        [(task.category, Baseline(task.chance, task.majority)) for task in answers],
        category=lambda row: row[0],
        combine=lambda _, name, below: (
            name,
            Baseline(fmean(row.chance for _, row in below), fmean(row.majority for _, row in below)),
        ),
    )
    return levels.overall[1]


def chance_levels(answers: Sequence[TaskAnswers], metric: Metric) -> dict[str, float]:
    """The accuracy of blind guessing by task, a fraction; empty for metrics other than accuracy."""
    return {task.task: task.chance for task in answers} if metric.name == ACCURACY.name else {}


def constant_line(answers: Sequence[TaskAnswers]) -> str:
    """`7 of 17 wordings give one answer to 95% or more of the examples ('billing')`; empty where none does.

    A wording that gives one answer under each draw of demonstrations, but not the same, is not counted.
    """
    counted = [task for task in answers if len(task.classes) > 1]
    found = [each for task in counted for each in constant_answers(task)]
    if not found:
        return ""
    total = sum(len(task.wordings) for task in counted)
    basis = [*(["on each task"] if len(counted) > 1 else []), *(["over all draws"] if _are_drawn(counted) else [])]
    where = f", counted {' and '.join(basis)}," if basis else ""
    named = Counter(each.answer for each in found).most_common()
    most = named[:_ANSWERS_NAMED]
    shown = ", ".join(f"'{answer}'" + (f" {count}" if len(named) > 1 else "") for answer, count in most)
    more = f" and {len(named) - _ANSWERS_NAMED} others" if len(named) > _ANSWERS_NAMED else ""
    verb = "gives" if len(found) == 1 else "give"
    return (
        f"{len(found)} of {total} wording{'' if total == 1 else 's'}{where} {verb} one answer to "
        f"{100 * CONSTANT_FROM:g}% or more of the examples ({shown}{more})"
    )


def _are_drawn(answers: Sequence[TaskAnswers]) -> bool:
    return any(task.draws > 1 for task in answers)


def baseline_line(answers: Sequence[TaskAnswers], metric: Metric) -> str:
    """`chance 25.0, majority answer 25.0 ('billing')`; empty for metrics other than accuracy."""
    if not answers or metric.name != ACCURACY.name:
        return ""
    found = baseline(answers)
    if len(answers) == 1:
        tail = f" ('{answers[0].classes[answers[0].majority_class]}')"
    else:
        tail = ": means over tasks, as in the overall row"
    return f"chance {100 * found.chance:.1f}, majority answer {100 * found.majority:.1f}{tail}"


def position_line(answers: Sequence[TaskAnswers]) -> str:
    """The positions that are chosen and that are right, where the options' texts differ between examples."""
    tasks = [task for task in answers if task.by_position]
    if not tasks:
        return ""
    most = max(len(task.classes) for task in tasks)
    chosen, right = np.zeros(most), np.zeros(most)
    for task in tasks:
        chosen[: len(task.classes)] += task.confusion.sum(axis=(0, 1))
        right[: len(task.classes)] += task.confusion.sum(axis=(0, 2))
    shown = min(most, _POSITIONS_NAMED)
    first, second = (", ".join(f"{100 * share:.1f}" for share in (of / of.sum())[:shown]) for of in (chosen, right))
    some = f"positions 1 to {shown}" if shown == most else f"the first {shown} of {most} positions"
    return f"options by position, {some}: chosen {first}; right {second} percent"


def answer_lines(answers: Sequence[TaskAnswers], metric: Metric) -> tuple[str, ...]:
    """What a reader must know before any accuracy, the most important first; empty without answers."""
    lines = (constant_line(answers), baseline_line(answers, metric), position_line(answers))
    return tuple(line for line in lines if line)
