"""`phraseproof runs`: every run folder below a folder, with what is in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command_line import run_command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """Two finished runs, one of them below another folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    (tmp_path / "t.csv").write_text("question,label\nIs it?,yes!\nWas it?,no!\n")
    (tmp_path / "t.yaml").write_text(
        "name: t\nkind: binary\ndata: t.csv\nchoices: [yes!, no!]\nanswer: label\ncategory: house\n"
    )
    wordings = [{"id": n, "template": f"{n}: {{{{ question }}}}", "answer": "text"} for n in ("one", "two")]
    (tmp_path / "w.yaml").write_text(json.dumps({"name": "w", "instructions": wordings}))
    for out, scoring in (("runs/a", "loglikelihood"), ("runs/more/b", "loglikelihood_norm")):
        arguments = ["-m", "scripted", "-t", "t.yaml", "-i", "mine=w.yaml", "-o", out, "--scoring", scoring, "-q"]
        assert run_command(capsys, "evaluate", *arguments).code == 0
    return tmp_path / "runs"


@pytest.mark.usefixtures("folder")
def test_a_line_per_run(capsys: pytest.CaptureFixture[str]) -> None:
    done = run_command(capsys, "runs")
    assert done.code == 0
    head, first, second = done.out.splitlines()
    assert head.split() == ["run", "model", "tasks", "wordings", "groups", "cells", "scoring", "updated", "(UTC)"]
    assert first.split()[:7] == ["runs/a", "scripted", "1", "2", "mine", "2", "loglikelihood"]
    assert second.split()[:7] == ["runs/more/b", "scripted", "1", "2", "mine", "2", "loglikelihood_norm"]


def test_as_json_with_what_is_missing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    next((folder / "a").rglob("*.parquet")).unlink()
    done = run_command(capsys, "runs", folder / "a", "--json")
    (run,) = json.loads(done.out)
    updated = run.pop("updated")
    assert updated.endswith("+00:00")
    assert run == {
        "path": str(folder / "a"),
        "model": "scripted",
        "tasks": 1,
        "wordings": 2,
        "groups": ["mine"],
        "cells": 2,
        "done": 1,
        "failed": 0,
        "scorings": ["loglikelihood"],
    }


def test_a_damaged_run_is_named_and_left_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a" / "run.json").write_text("{")
    done = run_command(capsys, "runs", folder, "--json")
    assert done.code == 0
    assert [Path(run["path"]).name for run in json.loads(done.out)] == ["b"]
    assert done.err.startswith("warning: left out: ")
    assert done.err.count("\n") == 1


def test_no_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_command(capsys, "runs", tmp_path)
    assert (done.out, done.code) == ("", 0)
    assert "no run folder below" in done.err
    assert json.loads(run_command(capsys, "runs", tmp_path, "--json").out) == []
    missing = run_command(capsys, "runs", tmp_path / "none")
    assert missing.code == 2
    assert "no such folder" in missing.err
