"""`phraseproof choose`: what reaches stdout and stderr, and the exit code."""

from __future__ import annotations

import csv
import io
import json
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from phraseproof.analysis.selection.criteria import Criterion
from phraseproof.analysis.selection.search import Strategy
from phraseproof.cli.choose import CriterionName, StrategyName
from support.choice_runs import write_choice_run
from support.command_line import run_command
from support.parity_project import write_project


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    draw = np.random.default_rng(0)
    scores = (draw.random((4, 60)) < np.array([0.9, 0.3, 0.5, 0.4])[:, None]).astype(float)
    return write_choice_run(tmp_path_factory.mktemp("runs") / "r", {"t": scores})


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "100")
    return partial(run_command, capsys, "choose")


def test_a_choice_in_every_format(call, run: Path) -> None:
    done = call(run)
    assert done.code == 0
    assert "ours/0, chosen by mean accuracy" in " ".join(done.out.split())
    document = json.loads(call(run, "--json").out)
    assert document["choices"][0]["chosen"] == "ours/0"
    rows = list(csv.DictReader(io.StringIO(call(run, "--format", "csv").out)))
    (corrected,) = [row for row in rows if row["statistic"] == "corrected"]
    assert float(corrected["estimate"]) == pytest.approx(100 * document["choices"][0]["corrected"])
    assert call(run, "--format", "markdown").out.startswith("###")
    assert r"\begin{longtable}" in call(run, "--format", "latex").out


def test_options(call, run: Path) -> None:
    worst = call(run, "--criterion", "cvar", "--share", "0.5", "--over", "classes")
    assert "mean accuracy of the worst 50% of 2 blocks" in " ".join(worst.out.split())
    assert get_args(CriterionName) == tuple(Criterion)
    assert get_args(StrategyName) == tuple(Strategy)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "no run folder is named"),
        (("{run}", "--over", "nothing"), "no such kind of blocks"),
        (("{run}", "--share", "0"), "not a share of the blocks"),
        (("{run}", "--task", "u"), "no task 'u'"),
    ],
)
def test_wrong_input_is_one_line(call, run: Path, arguments: tuple[str, ...], problem: str) -> None:
    done = call(*(argument.format(run=run) for argument in arguments))
    assert done.code == 2
    assert problem in done.err
    assert done.err.count("\n") == 1


LIVE = ("--live", "-m", "scripted", "-t", "{project}/task.yaml", "-i", "{project}/wordings.yaml")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("project"), examples=60, wordings=4)


def _filled(arguments: tuple[str, ...], project: Path) -> list[str]:
    return [argument.format(project=project) for argument in arguments]


def test_a_live_choice_stays_within_its_budget_and_is_continued(call, project: Path, tmp_path: Path) -> None:
    arguments = [*_filled(LIVE, project), "--budget-calls", "100", "-o", str(tmp_path / "r")]
    done = call(*arguments)
    assert done.code == 0
    assert "held out" in done.out
    again = json.loads(call(*arguments, "--json").out)
    assert again["choice"]["calls"] <= 100
    assert again["choice"]["chosen"] in done.out
    assert "nothing is left to score" in call(*arguments).err
    rows = list(csv.DictReader(io.StringIO(call(*arguments, "--format", "csv", "--strategy", "racing").out)))
    assert {row["statistic"] for row in rows} == {"corrected", "at least", "observed"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((*LIVE, "-o", "r"), "no budget is named"),
        ((*LIVE, "--budget-calls", "100"), "no run folder is named"),
        ((*LIVE, "--budget-calls", "100", "-o", "r", "--criterion", "worst"), "--criterion is for stored runs"),
        (("-m", "scripted"), "--model requires --live"),
        (("--base-url", "http://localhost"), "--base-url requires --live"),
        (("{project}", *LIVE, "--budget-calls", "100", "-o", "r"), "a live choice reads no run"),
    ],
)
def test_options_of_the_other_kind_are_refused(call, project: Path, arguments: tuple[str, ...], problem: str) -> None:
    done = call(*_filled(arguments, project))
    assert done.code == 2
    assert problem in done.err
    assert done.err.count("\n") == 1
