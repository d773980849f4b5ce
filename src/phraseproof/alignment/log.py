"""How a training is followed: `training.jsonl`, TensorBoard where it is installed, and an observer for the screen."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from phraseproof.errors import RunError
from phraseproof.files import write_text

LOG_FILE = "training.jsonl"
TENSORBOARD_FOLDER = "tensorboard"


class HeldOut(NamedTuple):
    """How the model does on held-out pairs.

    Attributes:
        loss, ce: means over the pairs, of the method's own loss and of the cross-entropy, in nats.
        kl: the same of the KL of paraphrases to their reference, whatever the method's loss holds.
        accuracy: the share of prompts in paraphrased wordings whose every target token is the most likely one after
            the target tokens before it: what greedy decoding would write.
        reference_accuracy: the same under the reference wordings.
        pairs: how many pairs.
    """

    loss: float
    ce: float
    kl: float
    accuracy: float
    reference_accuracy: float
    pairs: int


class StepReport(NamedTuple):
    """One step of training.

    Attributes:
        step: counted from 1; 0 is the state before training.
        loss, ce, kl, other: means over the step's batches, in nats; `None` for step 0.
        learning_rate: used in this step.
        gradient_norm: before it was cut.
        seconds: of this step, evaluation included.
        held_out: where the step ended in an evaluation.
    """

    step: int
    loss: float | None = None
    ce: float | None = None
    kl: float | None = None
    other: float | None = None
    learning_rate: float | None = None
    gradient_norm: float | None = None
    seconds: float = 0.0
    held_out: HeldOut | None = None


class AlignmentObserver(Protocol):
    """Told how a training goes on."""

    def started(self, *, total: int, done: int) -> None:
        """`total` steps are planned, `done` of them were done before."""
        ...

    def stepped(self, report: StepReport) -> None:
        """A step was done."""
        ...

    def warned(self, message: str) -> None:
        """Something the user should know, on one line."""
        ...


class SilentAlignmentObserver:
    """An observer that looks away."""

    def started(self, *, total: int, done: int) -> None:
        """Nothing."""

    def stepped(self, report: StepReport) -> None:
        """Nothing."""

    def warned(self, message: str) -> None:
        """Nothing."""


class TrainingLog:
    """Writes every step to `training.jsonl` in a folder, one line a step, and to TensorBoard.

    Args:
        folder: where the log is, or will be.
        resumed_at: lines of later steps are dropped: those steps are done again.
    """

    def __init__(self, folder: Path, *, resumed_at: int | None) -> None:
        self.path = folder / LOG_FILE
        kept = [] if resumed_at is None else [row for row in read_log(folder) if row["step"] <= resumed_at]
        # A kill in the middle of this must not cost the lines that are kept.
        write_text(self.path, "".join(json.dumps(row) + "\n" for row in kept), error=RunError)
        try:
            self._stream = self.path.open("a", encoding="utf-8")
        except OSError as error:
            raise RunError(f"cannot be written: {error.strerror or error}", where=str(self.path)) from None
        self._board = _tensorboard(folder, resumed_at)

    def write(self, report: StepReport) -> None:
        """Add a step."""
        row = {name: value for name, value in report._asdict().items() if value is not None}
        if report.held_out is not None:
            row["held_out"] = report.held_out._asdict()
        self._stream.write(json.dumps(_finite(row)) + "\n")
        self._stream.flush()
        if self._board is not None:
            for name, value in _scalars(row):
                self._board.add_scalar(name, value, report.step)

    def close(self) -> None:
        """Finish both."""
        self._stream.close()
        if self._board is not None:
            self._board.close()


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The steps in the folder's `training.jsonl`, in order; a line that a kill cut short is left out."""
    path = folder / LOG_FILE
    rows: list[dict[str, Any]] = []
    if not path.is_file():
        return rows
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(row.get("step"), int):
            rows.append(row)
    return rows


def _tensorboard(folder: Path, resumed_at: int | None) -> Any:
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    # Steps after the one resumed at are hidden from earlier event files: they are done again.
    purge = None if resumed_at is None else resumed_at + 1
    return SummaryWriter(str(folder / TENSORBOARD_FOLDER), purge_step=purge)


def _scalars(row: Mapping[str, Any]) -> list[tuple[str, float]]:
    flat = {f"train/{name}": value for name, value in row.items() if name not in {"step", "held_out"}}
    flat |= {f"held_out/{name}": value for name, value in row.get("held_out", {}).items()}
    return [(name, float(value)) for name, value in flat.items()]


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: they are written as `null`."""
    if isinstance(value, dict):
        return {name: _finite(member) for name, member in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
