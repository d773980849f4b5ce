"""What folders cost, read from real runs and trainings."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import RunError
from phraseproof.store.run_file import read_run_file, write_run_file
from phraseproof.studies.cost_step import cost_steps, read_cost
from support import tiny_models
from support.reading_task import make_evaluation
from support.study_runs import four_tasks
from support.tiny_trainings import train


def test_runs_and_trainings_are_found_at_any_depth_and_hidden_states_are_part_of_a_run(tmp_path: Path) -> None:
    make_evaluation().run(tmp_path / "runs" / "one")
    make_evaluation().run(tmp_path / "runs" / "one" / "representations")
    train(tiny_models.tiny_llama(), tmp_path / "trained", max_steps=1)
    found = [step.folder for step in cost_steps([tmp_path])]
    assert found == [tmp_path / "runs" / "one", tmp_path / "trained"]
    assert [step.folder for step in cost_steps([tmp_path / "trained"])] == [tmp_path / "trained"]


def test_a_training_has_its_model_and_method(tmp_path: Path) -> None:
    model = tiny_models.tiny_llama()
    train(model, tmp_path, max_steps=1, method="pt")
    cost = read_cost(tmp_path)
    assert cost is not None
    assert (cost.kind, cost.model, cost.is_recorded) == ("training", f"{model}, pt", True)
    assert cost.sessions[0].precision == "float32"


def test_a_run_of_a_trained_model_is_named_by_what_made_it(tmp_path: Path) -> None:
    model = tiny_models.tiny_llama()
    train(model, tmp_path / "trained", max_steps=1, method="pt")
    make_evaluation().run(tmp_path / "run")
    content = read_run_file(tmp_path / "run")
    content["settings"]["model"] |= {"name": str(model), "adapter": "hash"}
    content["spec"]["model_options"]["adapter"] = str(tmp_path / "trained")
    write_run_file(tmp_path / "run", content)
    cost = read_cost(tmp_path / "run")
    assert cost is not None
    assert (cost.kind, cost.model) == ("inference", f"{model}, pt")


def test_a_run_of_an_earlier_version_has_the_time_in_the_model(tmp_path: Path) -> None:
    make_evaluation().run(tmp_path)
    content = read_run_file(tmp_path)
    del content["sessions"]
    content["usage"] |= {"wall_s": 72.0, "scoring_cpu_s": 36.0}
    write_run_file(tmp_path, content)
    cost = read_cost(tmp_path)
    assert cost is not None
    assert not cost.is_recorded
    assert [(each.wall_s, each.cpu_s, each.hardware) for each in cost.sessions] == [(72, 36, "")]


def test_time_that_no_session_holds_is_counted(tmp_path: Path) -> None:
    make_evaluation().run(tmp_path)
    content = read_run_file(tmp_path)
    (session,) = content["sessions"].values()
    session["wall_s"] = 10.0
    content["usage"]["wall_s"] = 25.0
    write_run_file(tmp_path, content)
    cost = read_cost(tmp_path)
    assert cost is not None
    assert cost.unrecorded_s == 15


def test_an_imported_run_cost_nothing_here(tmp_path: Path) -> None:
    assert read_cost(four_tasks(tmp_path).path) is None


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="neither a run nor a training"):
        read_cost(tmp_path)
