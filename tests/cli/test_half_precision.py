"""Runs in half precision: every command that shows one says so, and what it means for the choices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.command_line import Done, run_command
from support.report_runs import write_run

SAID = (
    "computed in bfloat16; 252 of 252 choices (100.0%) are within its error bound of a tie (2, twice the largest error "
    "on 64 prompts scored in float32 as well), and may differ in float32"
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    return {
        "half": write_run(folder / "half", dtype="bfloat16"),
        "full": write_run(folder / "full", bonus=0.1),
    }


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def run(*arguments: str | Path) -> Done:
        return run_command(capsys, *arguments)

    return run


def said(text: str) -> int:
    """How often it is said; a terminal breaks lines where they end."""
    return " ".join(text.split()).count(SAID)


def test_compare_says_so_of_the_run_that_it_is_true_of(runs: dict[str, Path], call: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert said(call("compare", runs["full"], runs["half"], "--html", page).out) == 1
    assert said(page.read_text(encoding="utf-8")) == 1
    (found,) = json.loads(call("compare", runs["half"], runs["full"], "--json").out)["comparisons"]
    assert f"{runs['half']}: {SAID}" in found["notes"]
    assert found["before"]["half_precision"]["close"] == 252
    assert found["after"]["half_precision"] is None


def test_gate_says_so_beside_its_result(runs: dict[str, Path], call: Any, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    done = call("gate", runs["half"], "--min-mean", "1", "--summary", summary)
    assert (done.code, said(done.err)) == (0, 1)
    assert said(summary.read_text(encoding="utf-8")) == 1
    done = call("gate", runs["full"], "--no-worse-than", runs["half"], "--margin", "50", "--json")
    assert json.loads(done.out)["notes"] == [f"{runs['half']}: {SAID}"]


def test_analyze_says_so(runs: dict[str, Path], call: Any) -> None:
    assert said(call("analyze", runs["half"]).out) == 1
    half, full = json.loads(call("analyze", runs["half"], runs["full"], "--json").out)["analyses"]
    assert SAID in half["notes"]
    assert half["half_precision"]["bound"] == 2.0
    assert full["half_precision"] is None


def test_a_report_says_so(runs: dict[str, Path], call: Any, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    call("report", runs["half"], "--out", page)
    assert said(page.read_text(encoding="utf-8")) == 1


@pytest.mark.parametrize("command", [["compare"], ["gate", "--max-gap", "60", "--no-worse-than"], ["analyze"]])
def test_nothing_is_said_of_runs_in_float32(command: list[str], runs: dict[str, Path], call: Any) -> None:
    done = call(*command, runs["full"], runs["full"])
    assert done.code == 0
    assert "computed in" not in done.out + done.err
