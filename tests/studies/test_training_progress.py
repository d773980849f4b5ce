"""A training tells the observer of a study where it is, from time to time."""

from __future__ import annotations

from itertools import count

import pytest

from phraseproof.studies import training_progress
from phraseproof.studies.training_progress import TrainingProgress
from phraseproof.training.log import StepReport


class Kept:
    """An observer that keeps remarks."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []

    def noted(self, message: str) -> None:
        self.notes.append(message)

    def warned(self, message: str) -> None:
        self.warnings.append(message)

    def started(self, *, total: int, done: int) -> None:
        raise AssertionError("steps are no prompts")

    def advanced(self, prompts: int) -> None:
        raise AssertionError("steps are no prompts")


def test_steps_are_named_every_quarter_of_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = count(step=6)
    monkeypatch.setattr(training_progress.time, "monotonic", lambda: float(next(ticks)))
    kept = Kept()
    progress = TrainingProgress(kept)  # at 0
    progress.started(total=1000, done=10)
    for step in range(11, 15):  # at 6, 12, 18 (and 24 when it is noted), 30
        progress.stepped(StepReport(step, loss=0.5))
    progress.noted("a remark")
    progress.warned("a warning")
    assert kept.notes == ["resuming after step 10 of 1,000", "step 13 of 1,000: loss 0.5000", "a remark"]
    assert kept.warnings == ["a warning"]


def test_a_new_training_resumes_nothing() -> None:
    kept = Kept()
    TrainingProgress(kept).started(total=5, done=0)
    assert kept.notes == []
