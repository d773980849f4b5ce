"""`phraseproof ensemble`: what reaches stdout and stderr, and the exit code."""

from __future__ import annotations

import csv
import io
import json
from functools import partial
from pathlib import Path
from typing import get_args

import pytest

from phraseproof.analysis.ensemble_curve import CALIBRATIONS
from phraseproof.analysis.ensembles import HOWS
from phraseproof.cli.ensemble import CalibrationName, HowName
from support.command_line import run_command
from support.ensemble_runs import skilled, write_ensemble_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ensemble_run(tmp_path_factory.mktemp("runs") / "r", {"t": skilled(0)})


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "100")
    return partial(run_command, capsys, "ensemble")


def test_ensembles_in_every_format(call, run: Path) -> None:
    done = call(run, "--calibrate", "batch", "--sizes", "1,2,all")
    assert done.code == 0
    assert "greedy" in done.out
    document = json.loads(call(run, "--sizes", "2", "--json").out)
    point = document["ensembles"][0]["curves"][0]["points"][0]
    rows = list(csv.DictReader(io.StringIO(call(run, "--sizes", "2", "--format", "csv").out)))
    (accuracy,) = [row for row in rows if row["statistic"] == "accuracy: 2 random"]
    assert float(accuracy["estimate"]) == pytest.approx(point["accuracy"]["estimate"])
    assert call(run, "--format", "markdown").out.startswith("###")
    assert r"\begin{longtable}" in call(run, "--format", "latex").out


def test_choices_are_those_of_the_analysis() -> None:
    assert get_args(HowName) == HOWS
    assert get_args(CalibrationName) == CALIBRATIONS


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--sizes", "1,x"), "not a number of wordings"),
        (("--group", "c"), "no such name"),
        (("--task", "u"), "no such name"),
    ],
)
def test_wrong_input_is_one_line(call, run: Path, arguments: tuple[str, ...], problem: str) -> None:
    done = call(run, *arguments)
    assert done.code == 2
    assert problem in done.err
    assert len(done.err.strip().splitlines()) == 1
