"""The spec in `run.json`: of a run, of a run that grew, and of one that is older than the section."""

from __future__ import annotations

from pathlib import Path

import pytest

import phraseproof
from phraseproof.errors import RunError
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.evaluation.stored_spec import merged_spec, spec_of_run
from phraseproof.store.run_file import read_run_file
from support.parity_project import write_project

OLD = Path(__file__).parents[1] / "support" / "old_run" / "run"


def test_a_grown_run_has_what_all_its_evaluations_asked() -> None:
    first = EvaluationSpec().with_changes(model="m", tasks="a,b", instructions={"g": "x"}, limit=3)
    second = first.with_changes(tasks="b,c", instructions={"g": "y,x", "h": "z"}, limit=9, num_fewshot=2)
    found = merged_spec(merged_spec(None, first), second)
    assert found["tasks"] == ["a", "b", "c"]
    assert found["instructions"] == {"g": ["x", "y"], "h": ["z"]}
    assert (found["limit"], found["num_fewshot"]) == (9, [0, 2])


def test_a_run_stores_its_spec(tmp_path: Path) -> None:
    project = write_project(tmp_path, examples=3, wordings=2)
    task, wordings = str(project / "task.yaml"), str(project / "wordings.yaml")
    phraseproof.evaluate("scripted", task, {"mine": wordings}, tmp_path / "run", limit=2)
    phraseproof.evaluate("scripted", task, {"mine": wordings}, tmp_path / "run", limit=2, scoring="loglikelihood_norm")
    found = spec_of_run(read_run_file(tmp_path / "run"))
    assert found.data["tasks"] == [task]
    assert found.data["instructions"] == {"mine": [wordings]}
    assert (found.data["limit"], found.data["scoring"]) == (2, "loglikelihood,loglikelihood_norm")
    assert found.unknown == ()


def test_an_older_run_says_what_is_unknown() -> None:
    found = spec_of_run(read_run_file(OLD))
    assert found.data["model"] == "scripted"
    assert found.data["limit"] == 4
    assert found.data["scoring"] == "loglikelihood"
    assert found.data["instructions"] == {"mine": ["mine"]}
    assert "paths of task files are unknown: tasks lists the tasks' names" in found.unknown
    EvaluationSpec().with_changes(**found.data)


def test_an_imported_run_has_none() -> None:
    with pytest.raises(RunError, match="imported"):
        spec_of_run({"cells": [], "settings": {}})
