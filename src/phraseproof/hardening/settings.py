"""The settings of `harden`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from phraseproof.alignment.settings import RECOMMENDED, RECOMMENDED_FOR_TEXTS, AlignmentSettings
from phraseproof.core import Task
from phraseproof.errors import UsageError


@dataclass(frozen=True, slots=True)
class HardenSettings:
    """How models are measured and trained.

    Attributes:
        alignment: the settings of the training. By default, of the method that is recommended for tasks with options.
        held_out_share: the share of wordings that training never sees, and on which the result is measured.
        training_share: the share of a task's examples to train on, if the task has no demonstrations for that.
        max_pairs: the maximum number of training pairs per task (the paper used about 1,000 in all).
        limit: the maximum number of test examples per task.
        seed: the seed of the splits and the interval; `alignment` holds the seed of the training.
    """

    alignment: AlignmentSettings = field(default_factory=lambda: AlignmentSettings(method=RECOMMENDED))
    held_out_share: float = 0.5
    training_share: float = 0.5
    max_pairs: int | None = 1000
    limit: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for value, option in ((self.held_out_share, "--held-out"), (self.training_share, "--training-share")):
            if not 0 < value < 1:
                raise UsageError(
                    "the share is out of range", expected="a number between 0 and 1", got=str(value), where=option
                )


def recommended_method(tasks: Iterable[Task]) -> str:
    """The method that is trained where the user names none: one that needs options, if all tasks have options."""
    return RECOMMENDED if all(task.kind.has_options for task in tasks) else RECOMMENDED_FOR_TEXTS
