"""Short trainings of tiny models, and an observer that keeps what it receives."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from phraseproof.alignment.trainer import AlignmentSettings
from phraseproof.alignment.trainer import train as run_training
from phraseproof.models import ModelOptions
from phraseproof.training.log import StepReport
from support.tiny_pairs import shared_wordings

CPU = ModelOptions(device="cpu")
QUICK = AlignmentSettings(
    num_tokens=4, learning_rate=0.05, max_steps=6, gradient_accumulation=2, held_out_fraction=0.25, save_every=2
)


def train(model: Path, out: Path, *, pairs: Any = None, observer: Any = None, **changes: Any) -> Any:
    """A training of a model folder with the settings `QUICK`, changed as named."""
    settings = dataclasses.replace(QUICK, **changes)
    return run_training(str(model), pairs or shared_wordings(), out, settings, model_options=CPU, observer=observer)


def adapter(out: Path) -> torch.Tensor:
    """The tensor of an adapter folder."""
    return load_file(out / "adapter_model.safetensors")["prompt_embeddings"]


class Watcher:
    """An observer that keeps what it receives."""

    def __init__(self) -> None:
        self.starts: list[tuple[int, int]] = []
        self.reports: list[StepReport] = []
        self.warnings: list[str] = []
        self.notes: list[str] = []

    def started(self, *, total: int, done: int) -> None:
        self.starts.append((total, done))

    def stepped(self, report: StepReport) -> None:
        self.reports.append(report)

    def noted(self, message: str) -> None:
        self.notes.append(message)

    def warned(self, message: str) -> None:
        self.warnings.append(message)


class StoppedError(Exception):
    """The observer has seen enough."""


class StopsAt(Watcher):
    """Stops a training after a step, without a signal."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def stepped(self, report: StepReport) -> None:
        super().stepped(report)
        if report.step == self.step:
            raise StoppedError
