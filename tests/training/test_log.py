"""The log survives kills and resuming, and speaks to TensorBoard where it is installed."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from phraseproof.alignment.loop.held_out import HeldOut
from phraseproof.training.log import StepReport, TrainingLog, read_log

LOOK = HeldOut(loss=1.0, ce=2.0, kl=0.5, accuracy=0.25, reference_accuracy=0.75, pairs=4)


def write(folder: Path, steps: range, *, resumed_at: int | None = None) -> None:
    log = TrainingLog(folder, resumed_at=resumed_at)
    for step in steps:
        log.write(StepReport(step, loss=float(step), ce=1.0, held_out=LOOK if step % 2 == 0 else None))
    log.close()


def test_resuming_drops_the_steps_that_are_done_again(tmp_path: Path) -> None:
    write(tmp_path, range(6))
    with (tmp_path / "training.jsonl").open("a") as stream:
        stream.write('{"step": 6, "lo')
    write(tmp_path, range(4, 8), resumed_at=3)
    rows = read_log(tmp_path)
    assert [row["step"] for row in rows] == list(range(8))
    assert rows[2].get("held_out") == LOOK.as_record()
    assert "kl" not in rows[1]
    write(tmp_path, range(2))
    assert len(read_log(tmp_path)) == 2


def test_numbers_that_json_does_not_have_are_null(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path, resumed_at=None)
    log.write(StepReport(1, loss=float("nan"), gradient_norm=float("inf")))
    log.close()
    line = (tmp_path / "training.jsonl").read_text()
    assert json.loads(line, parse_constant=lambda text: pytest.fail(f"{text} is not JSON"))["loss"] is None


def test_no_log_is_an_empty_one(tmp_path: Path) -> None:
    assert read_log(tmp_path) == []


def test_tensorboard_is_written_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []

    class SummaryWriter:
        def __init__(self, folder: str, purge_step: int | None) -> None:
            said.append((folder, purge_step))

        def add_scalar(self, name: str, value: float, step: int) -> None:
            said.append((name, value, step))

        def close(self) -> None:
            said.append("closed")

    fake = ModuleType("torch.utils.tensorboard")
    fake.SummaryWriter = SummaryWriter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", fake)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True if name == "tensorboard" else find(name))
    write(tmp_path, range(4, 5), resumed_at=3)
    assert said[0] == (str(tmp_path / "tensorboard"), 4)
    assert ("train/loss", 4.0, 4) in said
    assert ("held_out/accuracy", 0.25, 4) in said
    assert said[-1] == "closed"


def test_agreement_is_recorded_where_it_is_known() -> None:
    assert "kappa" not in LOOK.as_record()
    assert LOOK._replace(kappa=0.5).as_record() == {**LOOK.as_record(), "kappa": 0.5}
