"""Ways judged on all tasks of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from phraseproof.analysis.causes.run import controls_line
from phraseproof.analysis.reductions.judging import judge
from phraseproof.analysis.reductions.run import run_reductions
from phraseproof.reduction.reduce import reduce
from phraseproof.store.queries import load_run
from support.budget_runs import run_of_tasks
from support.option_grids import simulated, store_values

OF = simulated(np.random.default_rng(1), wordings=6, examples=60, options=3, skill=2.0, prior=1.5)


def test_every_task_is_judged_as_reduce_judges_it(tmp_path: Path) -> None:
    small = replace(OF.take_examples(range(10)), task="small")
    run = load_run(store_values(tmp_path / "run", OF, replace(OF, task="again"), small))
    found = run_reductions(run)
    assert (found.tasks, found.overall) == (reduce(run).tasks, reduce(run).overall)
    assert [task.task for task in found.tasks] == ["t", "again"]
    assert found.notes == ("What reduces the spread on small: not computed, that takes 4 wordings and 20 examples.",)
    assert found.at_shots(1).tasks == ()


def test_control_wordings_are_left_out_and_a_wording_of_two_groups_counts_once(tmp_path: Path) -> None:
    groups = ("g",) * 4 + ("more", "negated")
    wordings = (*OF.wordings[:4], OF.wordings[0], "c/not")
    values = OF.values.copy()
    values[4] = values[0]
    stored = replace(OF, groups=groups, wordings=wordings, values=values)
    run = load_run(store_values(tmp_path / "run", stored))
    run.content["groups"] = ["g", "more", "negated"]
    (task,) = run_reductions(run).tasks
    alone = judge(OF.take(range(4)))
    assert task.wordings == 4
    assert [(way.accuracy, way.gain) for way in task.ways] == [(way.accuracy, way.gain) for way in alone.ways]
    assert controls_line(run) == "Left out: the control wordings in negated, which are meant to fail."
    assert reduce(run).notes == (controls_line(run),)


def test_what_would_take_long_names_the_command(tmp_path: Path) -> None:
    run = load_run(store_values(tmp_path / "run", OF))
    size = 6 * 60 * 3
    assert run_reductions(run, most_values=size).tasks
    found = run_reductions(run, most_values=size - 1)
    assert not found.tasks
    assert found.notes[0].endswith(f"The command is: phraseproof reduce {run.path}.")


def test_values_that_are_too_many_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = load_run(store_values(tmp_path / "run", OF))

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("values were read")

    monkeypatch.setattr("phraseproof.analysis.reductions.run.load_option_values", fail)
    assert not run_reductions(run, most_values=100).tasks


def test_wordings_that_are_not_judged_do_not_count_as_values(tmp_path: Path) -> None:
    groups = ("g",) * 4 + ("more", "negated")
    run = load_run(store_values(tmp_path / "run", replace(OF, groups=groups, wordings=(*OF.wordings[:5], "c/not"))))
    run.content["groups"] = ["g", "more", "negated"]
    size = 5 * 60 * 3
    assert run_reductions(run, most_values=size).tasks
    assert not run_reductions(run, most_values=size - 1).tasks


def test_a_run_with_a_budget_has_no_ways(tmp_path: Path) -> None:
    found = run_reductions(run_of_tasks(tmp_path / "run", 0.5))
    assert found.tasks == ()
    assert found.notes == (
        "What reduces the spread: not computed, the run has a budget: its wordings met different examples.",
    )
