"""A study that is named by its stored spec."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.cli.stored_study import changed, spec_file
from phraseproof.models.options import ModelOptions
from phraseproof.studies.study import StudyRequest
from support.command_line import run_command
from support.study_runs import four_tasks

STORED = StudyRequest(
    models=("pocket",),
    tasks=("mmlu",),
    instructions={"observed": ("a",), "unobserved": ("b",)},
    limit=5,
    model_options=ModelOptions(dtype="float32", args={"x": "1", "y": "2"}),
)


def test_only_options_that_were_given_change_the_request() -> None:
    assert changed(STORED, StudyRequest(limit=9, seed=4), ["dry_run"]) == STORED
    assert changed(STORED, StudyRequest(limit=9, seed=4), ["limit"]) == replace(STORED, limit=9)
    other = changed(STORED, StudyRequest(instructions={"unobserved": ("c",)}), ["unobserved"])
    assert other.instructions == {"observed": ("a",), "unobserved": ("c",)}
    loaded = StudyRequest(model_options=ModelOptions(dtype="bfloat16", args={"y": "3"}))
    options = changed(STORED, loaded, ["dtype", "model_arg"]).model_options
    assert options == ModelOptions(dtype="bfloat16", args={"x": "1", "y": "3"})
    of_paraphraser = replace(STORED, paraphraser_args={"x": "1", "y": "2"})
    seeded = changed(of_paraphraser, StudyRequest(paraphraser_args={"y": "3"}), ["paraphraser_arg"])
    assert seeded == replace(STORED, paraphraser_args={"x": "1", "y": "3"})


def test_runs_replace_models_and_models_replace_runs() -> None:
    of_runs = changed(STORED, StudyRequest(runs=(Path("r"),)), ["run"])
    assert (of_runs.models, of_runs.runs) == ((), (Path("r"),))
    of_models = changed(of_runs, StudyRequest(models=("smollm2",)), ["model"])
    assert (of_models.models, of_models.runs) == (("smollm2",), ())


def test_a_spec_is_a_file_or_a_folder_with_one(tmp_path: Path) -> None:
    assert spec_file("table-3") is None
    assert spec_file(str(tmp_path)) is None
    path = tmp_path / "study.json"
    assert spec_file(str(path)) == path
    path.touch()
    assert spec_file(str(tmp_path)) == path


def test_an_exhibit_is_made_again_by_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = four_tasks(tmp_path).path
    first = run_command(capsys, "study", "table-3", "--run", run, "--out", tmp_path / "studies", "--json", "--quiet")
    folder = tmp_path / "studies" / "table-3" / "run"
    again = run_command(capsys, "study", folder, "--json", "--quiet")
    assert (again.code, again.out) == (0, first.out)
    assert f"exhibit: {folder}" in again.err
    other = run_command(capsys, "study", folder / "study.json", "--seed", "3", "--out", tmp_path / "other", "--quiet")
    assert other.code == 0, other.err
    stored = json.loads((tmp_path / "other" / "table-3" / "run" / "study.json").read_text(encoding="utf-8"))
    assert (stored["request"]["seed"], stored["request"]["runs"]) == (3, [str(run)])


def test_a_file_that_is_no_spec_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_command(capsys, "study", tmp_path / "exhibit.json")
    assert done.code == 2
    assert "exhibit.json" in done.err
