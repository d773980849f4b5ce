"""Trainings for workers: some that only write files, and real ones that take their time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from phraseproof.errors import PhraseproofError
from phraseproof.evaluation.distributed import sent_folders, training_worker
from phraseproof.store.training_record import read_record, write_record
from phraseproof.studies.alignment_step import AlignmentStep
from phraseproof.training.checkpoint import STATE_FOLDER
from phraseproof.training.log import StepReport, TrainingObserver


@dataclass(frozen=True)
class WritingJob:
    """Writes a checkpoint per step, which says where it began, and at its end its files and a finished record.

    Attributes:
        title, folder: as of every job.
        steps: its number of steps.
        files: by name the number of bytes.
        error: what it fails with after its steps.
    """

    title: str
    folder: Path
    steps: int = 2
    files: Mapping[str, int] = field(default_factory=dict[str, int])
    error: PhraseproofError | None = None

    def train(self, folder: Path, observer: TrainingObserver, *, device: str | None = None) -> None:
        state = folder / STATE_FOLDER
        done = sorted(int(path.name.removeprefix("step-")) for path in state.glob("step-*"))
        begins = done[-1] if done else 0
        write_record(
            folder,
            {"finished": False, "device": device, "began": [*(read_record(folder) or {}).get("began", []), begins]},
        )
        observer.started(total=self.steps, done=begins)
        for step in range(begins + 1, self.steps + 1):
            checkpoint = state / f"step-{step:08d}"
            checkpoint.mkdir(parents=True)
            (checkpoint / "weights").write_bytes(bytes([step]) * 10)
            if begins or step > 1:
                previous = state / f"step-{step - 1:08d}"
                (previous / "weights").unlink()
                previous.rmdir()
            observer.stepped(StepReport(step, loss=1.0 / step))
        if self.error is not None:
            raise self.error
        for name, size in self.files.items():
            (folder / name).write_bytes(b"w" * size)
        (state / f"step-{self.steps:08d}" / "weights").unlink()
        (state / f"step-{self.steps:08d}").rmdir()
        state.rmdir()
        write_record(folder, {**(read_record(folder) or {}), "finished": True})


@dataclass(frozen=True)
class SlowTraining:
    """A training of a study that waits after every step, and sends each of its checkpoints and steps."""

    step: AlignmentStep
    delay_s: float

    @property
    def title(self) -> str:
        return self.step.title

    @property
    def folder(self) -> Path:
        return self.step.folder

    def train(self, folder: Path, observer: TrainingObserver, *, device: str | None = None) -> None:
        # In the process of the worker, whose remarks and checkpoints would come every ten seconds.
        sent_folders.__dict__.update(_SECONDS_BETWEEN=0.0, _SHARE_OF_TIME=1.0)
        training_worker.__dict__.update(_SECONDS_BETWEEN_REMARKS=-1.0)
        self.step.train(folder, _Waiting(observer, self.delay_s), device=device)


@dataclass
class _Waiting:
    observer: TrainingObserver
    delay_s: float

    def noted(self, message: str) -> None:
        self.observer.noted(message)

    def warned(self, message: str) -> None:
        self.observer.warned(message)

    def started(self, *, total: int, done: int) -> None:
        self.observer.started(total=total, done=done)

    def stepped(self, report: StepReport) -> None:
        time.sleep(self.delay_s)
        self.observer.stepped(report)
