"""The records of a training's progress: `training.jsonl`, TensorBoard if it is installed, and an observer."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Required, TypedDict, cast

from phraseproof.errors import RunError
from phraseproof.files import parse_json, read_bytes, write_text

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

LOG_FILE = "training.jsonl"
TENSORBOARD_FOLDER = "tensorboard"


class TrainingEvaluation(Protocol):
    """The result of an evaluation between steps."""

    @property
    def ce(self) -> float:
        """The mean cross-entropy, in nats."""
        ...

    @property
    def loss(self) -> float:
        """The mean of what is minimised, in nats."""
        ...

    @property
    def summary(self) -> str:
        """A few words for the line of a step."""
        ...

    def badness(self, judged_by: str) -> float:
        """What early stopping wants low; `judged_by` is a name that the kind of training knows, such as `loss`."""
        ...

    def as_record(self) -> dict[str, object]:
        """The values by name, as JSON has them."""
        ...


class StepReport(NamedTuple):
    """The progress of one step.

    Attributes:
        step: counted from 1; 0 is the state before training.
        loss, ce, kl, other: means over the step's batches, in nats; `None` for step 0.
        learning_rate: the learning rate of this step.
        gradient_norm: the norm before clipping.
        seconds: the duration, including the evaluation.
        held_out: the evaluation after this step, if there was one.
        seconds_left: the expected time to the end, evaluations included; not written to files.
    """

    step: int
    loss: float | None = None
    ce: float | None = None
    kl: float | None = None
    other: float | None = None
    learning_rate: float | None = None
    gradient_norm: float | None = None
    seconds: float = 0.0
    held_out: TrainingEvaluation | None = None
    seconds_left: float | None = None


class LogRow(TypedDict, total=False):
    """A line of `training.jsonl`: the values of a `StepReport` that the step has; `None` for one that is not finite."""

    step: Required[int]
    loss: float | None
    ce: float | None
    kl: float | None
    other: float | None
    learning_rate: float
    gradient_norm: float | None
    seconds: float
    held_out: Mapping[str, Any]


class TrainingObserver(Protocol):
    """Receives the progress of a training."""

    def started(self, *, total: int, done: int) -> None:
        """Training starts: `total` steps are planned, `done` of them were done in earlier sessions."""
        ...

    def stepped(self, report: StepReport) -> None:
        """A step is done."""
        ...

    def noted(self, message: str) -> None:
        """A remark, for example a setting that was assumed, on one line."""
        ...

    def warned(self, message: str) -> None:
        """A warning for the user, on one line."""
        ...


class SilentTrainingObserver:
    """An observer that does nothing."""

    def started(self, *, total: int, done: int) -> None:
        """Nothing."""

    def stepped(self, report: StepReport) -> None:
        """Nothing."""

    def noted(self, message: str) -> None:
        """Nothing."""

    def warned(self, message: str) -> None:
        """Nothing."""


class TrainingLog:
    """Writes one line per step to a folder's `training.jsonl`, and the same values to TensorBoard.

    Args:
        folder: the training's folder.
        resumed_at: the step of the checkpoint that training resumes from; lines of later steps are dropped, because
            those steps are done again.
    """

    def __init__(self, folder: Path, *, resumed_at: int | None) -> None:
        self.path = folder / LOG_FILE
        kept = [] if resumed_at is None else [row for row in read_log(folder) if row["step"] <= resumed_at]
        # Written atomically, so that a kill here does not lose the lines that are kept.
        write_text(self.path, "".join(json.dumps(row) + "\n" for row in kept), error=RunError)
        try:
            self._stream = self.path.open("a", encoding="utf-8")
        except OSError as error:
            raise RunError(f"cannot be written: {error.strerror or error}", where=str(self.path)) from None
        self._board = _tensorboard(folder, resumed_at)

    def write(self, report: StepReport) -> None:
        """Write a step."""
        self._stream.write(json.dumps(log_row(report)) + "\n")
        self._stream.flush()
        if self._board is not None:
            for name, value in _scalars(report):
                self._board.add_scalar(name, value, report.step)

    def close(self) -> None:
        """Close the file and TensorBoard."""
        self._stream.close()
        if self._board is not None:
            self._board.close()


def log_row(report: StepReport) -> LogRow:
    """The line of a step."""
    row: dict[str, object] = {name: value for name, value in _logged(report).items() if value is not None}
    if report.held_out is not None:
        row["held_out"] = report.held_out.as_record()
    return cast("LogRow", _finite(row))


def read_log(folder: Path) -> list[LogRow]:
    """Read the steps in the folder's `training.jsonl`, in order. A line that a kill cut short is skipped."""
    path = folder / LOG_FILE
    rows: list[LogRow] = []
    if not path.exists():
        return rows
    for line in read_bytes(path).decode(errors="replace").splitlines():
        try:
            row = parse_json(line)
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(cast("dict[str, object]", row).get("step"), int):
            rows.append(cast("LogRow", row))
    return rows


def _tensorboard(folder: Path, resumed_at: int | None) -> SummaryWriter | None:
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    # TensorBoard hides steps from `purge_step` on in earlier event files: they are done again.
    purge = None if resumed_at is None else resumed_at + 1
    return SummaryWriter(str(folder / TENSORBOARD_FOLDER), purge_step=purge)


def _scalars(report: StepReport) -> list[tuple[str, float]]:
    """The names and values that TensorBoard shows for a step."""
    own = {name: value for name, value in _logged(report).items() if name not in {"step", "held_out"}}
    values = [(f"train/{name}", value) for name, value in own.items() if value is not None]
    if report.held_out is not None:
        values += _leaves("held_out", report.held_out.as_record())
    return [(name, float(value)) for name, value in values]


def _leaves(prefix: str, record: Mapping[str, object]) -> list[tuple[str, float]]:
    """The numbers of nested records, each with its path."""
    found: list[tuple[str, float]] = []
    for name, value in record.items():
        if isinstance(value, dict):
            found += _leaves(f"{prefix}/{name}", cast("dict[str, object]", value))
        elif isinstance(value, int | float):
            found.append((f"{prefix}/{name}", value))
    return found


def _logged(report: StepReport) -> dict[str, float | None]:
    return {name: value for name, value in report._asdict().items() if name != "seconds_left"}


def _finite(value: object) -> object:
    """Replace NaN and infinity, which JSON does not have, by `None`."""
    if isinstance(value, dict):
        return {name: _finite(member) for name, member in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
