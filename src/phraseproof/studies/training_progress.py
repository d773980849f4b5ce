"""How a training reports its progress where an evaluation's observer is all there is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phraseproof.evaluation.observer import Observer
    from phraseproof.training.log import StepReport

_SECONDS = 15.0
"""Between two remarks."""


class TrainingProgress:
    """A `TrainingObserver` that passes everything to the observer of a study, and names the step from time to time."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._total = 0
        self._last_s = time.monotonic()

    def noted(self, message: str) -> None:
        """Pass a remark on."""
        self._observer.noted(message)

    def warned(self, message: str) -> None:
        """Pass a warning on."""
        self._observer.warned(message)

    def started(self, *, total: int, done: int) -> None:
        """Say where a stopped training continues."""
        self._total = total
        if done:
            self._observer.noted(f"resuming after step {done:,} of {total:,}")

    def stepped(self, report: StepReport) -> None:
        """Name the step and its loss, if the last remark is some time ago."""
        if time.monotonic() - self._last_s > _SECONDS:
            self._last_s = time.monotonic()
            loss = "" if report.loss is None else f": loss {report.loss:.4f}"
            self._observer.noted(f"step {report.step:,} of {self._total:,}{loss}")
