"""Prompts that were cut because the model's context is too short: reported once per task, and summed up at the end."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.core import Cell, Outcome
from phraseproof.evaluation.observer import Observer


class CutPrompts:
    """Counts cut prompts and warns an observer, in at most two lines per task.

    Args:
        observer: warned.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._cut: dict[str, int] = {}
        self._all: dict[str, int] = {}
        self._cells: dict[str, int] = {}

    def count(self, cell: Cell, outcomes: Sequence[Outcome]) -> None:
        """Count those of a cell."""
        task = cell.task
        self._all[task] = self._all.get(task, 0) + len(outcomes)
        cut = sum(outcome.truncated_tokens > 0 for outcome in outcomes)
        if not cut:
            return
        if task not in self._cut:
            self._observer.warned(
                f"{task} under {cell.instruction}: {cut} of {len(outcomes)} prompts did not fit the model's context "
                "and were cut from the left"
            )
        self._cut[task] = self._cut.get(task, 0) + cut
        self._cells[task] = self._cells.get(task, 0) + 1

    def sum_up(self) -> None:
        """Warn once more of each task with more such cells than the first."""
        for task, cut in self._cut.items():
            if self._cells[task] > 1:
                share = f"{cut:,} of {self._all[task]:,} prompts"
                self._observer.warned(f"{task}: {share} were cut from the left, in {self._cells[task]} cells")
