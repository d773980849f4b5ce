"""Which answers a run gives, as JSON: baselines, constant wordings and confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from phraseproof.reports.build.answers import constant_answers

if TYPE_CHECKING:
    from phraseproof.analysis.answers import TaskAnswers


def answers_json(answers: Sequence[TaskAnswers], *, has_confusion: bool = False) -> list[dict[str, object]]:
    """One entry per task; described in docs/tables.md.

    Args:
        answers: of one run at one number of demonstrations.
        has_confusion: with each wording's counts, by the right class and the chosen class.
    """
    return [_task(task) | (_confusion(task) if has_confusion else {}) for task in answers]


def _task(task: TaskAnswers) -> dict[str, object]:
    return {
        "task": task.task,
        "classes": list(task.classes),
        "by_position": task.by_position,
        "chance_percent": 100 * task.chance,
        "majority_percent": 100 * task.majority,
        "majority_answer": task.classes[task.majority_class],
        "constant_wordings": [
            {
                "group": each.group,
                "instruction": each.wording,
                "answer": each.answer,
                "share_percent": 100 * each.share,
            }
            for each in constant_answers(task)
        ],
    }


def _confusion(task: TaskAnswers) -> dict[str, object]:
    return {
        "confusion": [
            {"group": group, "instruction": wording, "counts": counts}
            for group, wording, counts in zip(task.groups, task.wordings, task.confusion.tolist(), strict=True)
        ],
    }
