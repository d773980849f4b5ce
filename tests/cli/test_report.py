"""`phraseproof report` as a command; what the page does is tested in a browser (tests/reports/html)."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support.command_line import run_command
from support.report_runs import write_run

pytest.importorskip("vl_convert", reason="the extra `report` is not installed")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]):
    return partial(run_command, capsys, "report")


def test_it_says_where_the_page_is(run: Path, call: Any, tmp_path: Path) -> None:
    out = tmp_path / "new" / "report.html"
    done = call(run, "--out", out)
    assert (done.code, done.out) == (0, f"{out}\n")
    page = out.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    for section in ("In short", "Every wording", "Task by wording", "The wordings, ranked", "Statistics", "To repeat"):
        assert section in page
    assert "phraseproof evaluate --model org/model" in page


def test_two_runs_and_a_training_stand_on_one_page(run: Path, call: Any, tmp_path: Path) -> None:
    aligned = write_run(tmp_path / "aligned", bonus=0.1, adapter="0123456789abcdef")
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    steps = [{"step": n, "loss": 2.0 / n, "ce": 1.0, "kl": 0.5, "held_out": {"loss": 1.0}} for n in range(1, 5)]
    (adapter / "training.jsonl").write_text("".join(json.dumps(step) + "\n" for step in steps) + '{"step": 5, "lo')
    (adapter / "phraseproof.json").write_text(json.dumps({"settings": {"method": "pt+kl<script>"}}))
    out = tmp_path / "both.html"
    assert call(run, aligned, adapter, "--out", out).code == 0
    page = out.read_text(encoding="utf-8")
    assert "org/model to org/model + adapter 01234567" in page
    assert "Training: loss by step" in page
    assert "pt+kl&lt;script&gt;" in page


def test_an_unfinished_run_is_shown_with_a_warning(call: Any, tmp_path: Path) -> None:
    out = tmp_path / "half.html"
    done = call(write_run(tmp_path / "half", missing=3), "--out", out)
    assert done.code == 0
    assert "3 of 21 cells are missing" in done.err
    assert "unfinished: 3 of 21 cells are missing" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere",), "nowhere"),
        (("RUN", "--current", "never/heard"), "never/heard"),
        (("RUN", "--out", "."), "folder"),
        ((), "RUN"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(run: Path, call: Any, arguments: tuple[str, ...], words: str) -> None:
    done = call(*(str(run) if argument == "RUN" else argument for argument in arguments))
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert len(done.err.splitlines()) == 1


def test_a_run_is_not_written_over(run: Path, call: Any) -> None:
    before = (run / "run.json").read_bytes()
    done = call(run, "--out", run / "run.json")
    assert done.code == 2
    assert "would be overwritten" in done.err
    assert (run / "run.json").read_bytes() == before


def test_a_folder_that_cannot_be_written_is_one_line_and_exit_2(run: Path, call: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = call(run, "--out", tmp_path / "file" / "report.html")
    assert (done.code, done.out) == (2, "")
    assert "cannot be written" in done.err
