"""The components of a whole run, and why others have none."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.analysis.facets.components import variance_of_facets
from phraseproof.analysis.facets.design import load_designs
from phraseproof.analysis.facets.run import RunFacets, run_facets
from phraseproof.store.queries import Run, WordingScore
from support.facet_runs import drawn_run


def test_every_task_group_and_number_of_demonstrations_has_its_components(tmp_path: Path) -> None:
    run = drawn_run(tmp_path)
    found = run_facets(run)
    designs, _ = load_designs(run)
    assert found.has_draws
    for task, design in zip(found.tasks, designs, strict=True):
        assert task.components == variance_of_facets(design.scores, design.facets)
        assert task.mean == pytest.approx(design.scores.mean())
        assert task.total == pytest.approx(sum(each.estimate for each in task.components.values()))
    at_one = found.at_shots(1)
    assert [(task.design.group, task.design.num_fewshot) for task in at_one.tasks] == [("mine", 1), ("other", 1)]
    assert len(at_one.notes) == 1
    assert at_one.notes[0].startswith("colours under mine, 1-shot: left out: 1 of 4 wordings")


def test_without_draws_and_orders_there_are_wordings_and_examples(tmp_path: Path) -> None:
    found = run_facets(drawn_run(tmp_path, shots=(0,), draws=1, orders=1))
    assert not found.has_draws
    assert list(found.tasks[0].components) == [("wordings",), ("examples",), ("wordings", "examples")]


def test_imported_accuracies_have_none(tmp_path: Path) -> None:
    run = drawn_run(tmp_path, shots=(0,), draws=1, orders=1)
    row = WordingScore("t", "c", "g", "a/b", 0, 0.5, None)._asdict()
    imported = Run(run.path, {**run.content, "cells": [], "accuracies": {"one": row}})
    assert run_facets(imported).notes == (
        "Components of variance: not estimated, the run was imported and holds no scores of examples.",
    )
    assert RunFacets().notes == ()
