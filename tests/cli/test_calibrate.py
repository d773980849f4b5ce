"""`phraseproof calibrate`: what reaches the screen, JSON and files."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from phraseproof import Calibrator
from phraseproof.store.queries import load_run
from support.calibrated_runs import labelled_task, prefers, run
from support.command_line import run_command


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("runs") / "run").path


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "100")
    return partial(run_command, capsys, "calibrate")


def test_a_derived_run_and_a_file_are_written_and_named(source: Path, call: Any, tmp_path: Path) -> None:
    out, save = tmp_path / "derived", tmp_path / "c.json"
    done = call(source, "--out", out, "--save", save, "--folds", "3")
    assert done.code == 0
    assert [line.split(": ")[0] for line in done.err.splitlines()] == ["derived run", "calibrator"]
    assert "as stored" in done.out
    derived = load_run(out)
    assert derived.settings["calibration"] == {"method": "batch", "folds": 3, "seed": 0, "of": "loglikelihood"}
    assert len(Calibrator.load(save).corrections) == 5


def test_all_methods_are_rows_of_one_table_as_json_too(source: Path, call: Any) -> None:
    done = call(source, "--method", "all", "--json")
    assert done.code == 0
    rows = json.loads(done.out)["rows"]
    assert {row["scoring"] for row in rows} == {
        "loglikelihood",
        *(f"loglikelihood+{name}" for name in ("batch", "prior-matching", "per-byte", "per-token")),
    }
    as_csv = call(source, "--method", "all", "--format", "csv")
    assert len(as_csv.out.splitlines()) == len(rows) + 1


def test_harm_is_a_warning(call: Any, tmp_path: Path) -> None:
    skewed = labelled_task(30, labels=[1] * 28 + [0, 2])
    path = run(tmp_path / "run", skewed, score=prefers(strength=0.5, skill=1.0)).path
    done = call(path)
    assert done.code == 0
    warnings = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 2
    assert "lowers accuracy by" in warnings[0]
    assert "93% of the right answers are 'bug'" in warnings[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "magic"], "no method of calibration is called 'magic'"),
        (["--method", "all", "--save", "x.json"], "--method all compares methods and chooses none"),
        (["--folds", "1"], "--folds"),
        (["--scoring", "paper"], "holds no outcomes of the scoring method 'paper'"),
    ],
)
def test_wrong_options_are_one_line(source: Path, call: Any, options: list[str], message: str) -> None:
    done = call(source, *options)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert len(done.err.splitlines()) == 1
