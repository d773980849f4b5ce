"""`phraseproof reduce`: formats and options."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from support.command_line import run_command
from support.option_grids import simulated, store_values


def stored(path: Path) -> Path:
    of = simulated(np.random.default_rng(1), wordings=10, examples=120, options=3, skill=2.0, prior=1.5)
    return store_values(path, of)


def test_the_command_prints_every_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = stored(tmp_path / "run")
    text = run_command(capsys, "reduce", run)
    assert text.code == 0
    assert "=> " in text.out
    assert "calibrated ensemble of all" in text.out
    rows = list(csv.DictReader(io.StringIO(run_command(capsys, "reduce", run, "--format", "csv").out)))
    (gain,) = (row for row in rows if row["statistic"] == "gain: calibrated")
    document = json.loads(run_command(capsys, "reduce", run, "--json").out)
    (same,) = (row for row in document["rows"] if row["statistic"] == "gain: calibrated")
    assert float(gain["low"]) == same["low"] > 0
    assert same["unit"] == "points"
    assert any("a gain of" in note for note in document["notes"])
    for form in ("markdown", "latex"):
        assert "calibrated ensemble" in run_command(capsys, "reduce", run, "--format", form).out


def test_training_options_need_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = stored(tmp_path / "run")
    done = run_command(capsys, "reduce", run, "--max-steps", "3")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "--max-steps requires --train" in done.err


def test_a_model_is_evaluated_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = (
        "--model",
        "scripted",
        "--tasks",
        "pocket/has-price",
        "--instructions",
        "g=pocket-observed",
        "--limit",
        "24",
    )
    done = run_command(capsys, "reduce", tmp_path / "run", *asked, "--quiet", "--json")
    assert done.code == 0, done.err
    (row,) = (row for row in json.loads(done.out)["rows"] if row["statistic"] == "accuracy: as it is")
    assert row["n"] == 24
    again = run_command(capsys, "reduce", tmp_path / "run", "--quiet", "--json")
    assert again.out == done.out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--tasks", "pocket/has-price"), "--tasks requires --model"),
        (("--limit", "9"), "--limit requires --model"),
        (("--model", "scripted", "--instructions", "g=pocket-observed"), "--model requires --tasks"),
        (("--model", "scripted", "--tasks", "pocket/has-price"), "--instructions"),
    ],
)
def test_what_an_evaluation_needs_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], problem: str
) -> None:
    done = run_command(capsys, "reduce", stored(tmp_path / "run"), *arguments)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert problem in done.err
