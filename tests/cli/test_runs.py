"""`phraseproof runs`: every run folder below a folder, with what is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from phraseproof.errors import RunError
from phraseproof.store.queries import load_run
from support.command_line import run_command
from support.run_files import edit_run_file


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


def _shift_seed(content: dict[str, Any]) -> None:
    content["cells"][0]["fewshot_seed"] = -1


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "arguments",
    [
        ["table", "runs/a"],
        ["analyze", "runs/a"],
        ["compare", "runs/a", "runs/more/b"],
        ["compare", "runs/more/b", "runs/a"],
        ["gate", "runs/a", "--min-worst", "0"],
        ["report", "runs/a", "-o", "page.html"],
        ["plot", "runs/a", "--kind", "strip", "-o", "strip.svg"],
        ["config", "runs/a"],
        ["evaluate", "-m", "scripted", "-t", "t.yaml", "-i", "mine=w.yaml", "-o", "runs/a", "-q"],
    ],
    ids=lambda arguments: arguments[0] if isinstance(arguments, list) else None,
)
def test_an_edit_that_keeps_its_types_is_refused_by_every_command(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    edit_run_file(Path("runs/a"), _shift_seed, is_accepted=False)
    done = run_command(capsys, *arguments)
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert "runs/a/run.json" in line
    assert "phraseproof runs runs/a --accept-edit" in line


def test_an_edit_is_accepted_on_demand_and_recorded(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit_run_file(folder / "a", lambda content: content["tasks"]["t"].update(source="elsewhere"), is_accepted=False)
    with pytest.raises(RunError, match="was edited"):
        load_run(folder / "a")
    done = run_command(capsys, "runs", folder, "--accept-edit")
    assert done.code == 0
    assert done.err.splitlines() == [f"note: {folder}/a/run.json: the edit is accepted"]
    shown = run_command(capsys, "table", folder / "a")
    assert shown.code == 0
    assert "run.json was edited by hand" in shown.err
    again = run_command(capsys, "runs", folder, "--accept-edit")
    assert again.err == f"note: no run.json below {folder} was edited\n"


def test_a_run_without_a_checksum_is_read_as_before(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = run_command(capsys, "table", folder / "a")
    edit_run_file(folder / "a", lambda content: content.pop("run_checksum"), is_accepted=False)
    assert run_command(capsys, "table", folder / "a") == before


def test_the_layout_of_the_file_is_no_edit(folder: Path) -> None:
    edit_run_file(folder / "a", lambda _: None, is_accepted=False)
    assert load_run(folder / "a").wording_scores()


def test_compacted_runs_hold_what_they_held(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def read() -> tuple[list[dict[str, object]], str]:
        listed = json.loads(run_command(capsys, "runs", "--json").out)
        table = run_command(capsys, "table", folder / "a", "--json").out
        return [{**each, "updated": None} for each in listed], table  # compaction writes run.json

    before = read()
    lines = " ".join(run_command(capsys, "runs", "--compact").err.split())
    assert "runs/a: 2 files of cells are now in 1 new pack" in lines
    assert "runs/more/b: 2 files of cells are now in 1 new pack" in lines
    assert len(list(folder.rglob("*.parquet"))) == 2
    assert read() == before
    assert "runs/a: nothing to compact" in " ".join(run_command(capsys, "runs", folder / "a", "--compact").err.split())


def test_compaction_goes_on_after_a_run_that_cannot_be_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a" / "run.json").write_text("{")
    done = run_command(capsys, "runs", "--compact")
    lines = done.err.splitlines()
    assert (done.code, done.out) == (2, "")
    assert "not compacted" in lines[0]
    assert "runs/a/run.json" in lines[0]
    assert lines[1].endswith("runs/more/b: 2 files of cells are now in 1 new pack")
    assert lines[2] == "warning: 1 run folder could not be compacted"


def test_outcomes_in_packs_are_used_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Example by example: another scorer needs the same numbers of the model."""
    run_command(capsys, "runs", "--compact")
    call = ["evaluate", "-m", "scripted", "-t", "t.yaml", "-i", "mine=w.yaml", "-o", folder / "a"]
    for scoring in ("loglikelihood", "loglikelihood_norm"):
        lines = run_command(capsys, *call, "--scoring", scoring, "--dry-run").out.splitlines()
        assert [" ".join(line.split()) for line in lines[:2]] == [
            "cells 2 (0 to compute)",
            "prompts 4 (0 to compute)",
        ]
