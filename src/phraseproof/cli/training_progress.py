"""The progress of a training on stderr: a bar with the losses on a terminal, otherwise a line from time to time."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from phraseproof.cli.progress import StderrBar, duration

if TYPE_CHECKING:
    from phraseproof.training.log import StepReport, TrainingEvaluation


class TrainingBar(StderrBar):
    """An `TrainingObserver` that prints to stderr.

    Args:
        quiet: print warnings only.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        super().__init__(quiet=quiet)
        self._total = 0
        self._held_out: TrainingEvaluation | None = None

    def noted(self, message: str) -> None:
        """Print a remark on a separate line."""
        self._line(message)

    def started(self, *, total: int, done: int) -> None:
        """Show the number of steps."""
        self._total = total
        self._begins(done)
        if done:
            self._line(f"resuming after step {done:,} of {total:,}")
        if self._quiet or done >= total or not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
        )
        self._show(bar, "", total=total, done=done)

    def stepped(self, report: StepReport) -> None:
        """Show the step and its losses."""
        self._held_out = report.held_out or self._held_out
        text = self._describe(report)
        left = "" if not report.seconds_left else f", about {duration(report.seconds_left)} left"
        line = f"step {report.step:,} of {self._total:,}{': ' if text else ''}{text}{left}"
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=report.step, description=text + left)
            if report.step >= self._total:
                self._end()
        elif report.held_out is not None:
            self._line(line)
        else:
            self._line_now_and_then(line)

    def _describe(self, report: StepReport) -> str:
        terms = [("loss", report.loss), ("CE", report.ce), ("KL", report.kl), ("other", report.other)]
        parts = [f"{name} {value:.4f}" for name, value in terms if value is not None]
        if self._held_out is not None:
            parts.append(self._held_out.summary)
        return ", ".join(parts)
