"""`map.json`: the findings of `represent` survive the disk, and say when they are outdated."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phraseproof.errors import RunError
from phraseproof.store.queries import load_run
from phraseproof.store.representations import (
    MapPoint,
    Regression,
    RepresentationMap,
    TaskDistance,
    WordingDistance,
    load_map,
    out_of_date,
    run_state,
    write_map,
)
from phraseproof.store.usage import Usage
from support.stored_cells import finished_run, make_cell, make_outcomes

FOUND = RepresentationMap(
    reference="observed",
    points=(MapPoint("t", 0, "pca", "observed", "mine/one", "x", 0.1, -2.5e-9),),
    distances=(WordingDistance("t", "c", 0, "unobserved", "mine/two", 1 / 3, None, 0.5, -0.1),),
    tasks=(TaskDistance("t", "c", 0, 1 / 3, 0.25, None, 1, 12),),
    regression=Regression(-1.5, 0.1, -2.0, -1.0, 1e-12, 0.9, 40),
    task_regression=None,
    regression_reason=None,
    settings={"model": {"name": "m"}, "seed": 0},
    notes=("one sentence.",),
    run_state="abc",
)


def test_findings_come_back_to_the_last_bit(tmp_path: Path) -> None:
    path = write_map(tmp_path, FOUND)
    assert load_map(tmp_path) == FOUND
    assert path == tmp_path / "representations" / "map.json"
    write_map(tmp_path, replace(FOUND, regression=None, regression_reason="too few points"))
    found = load_map(tmp_path)
    assert found is not None
    assert (found.regression, found.regression_reason) == (None, "too few points")


def test_a_map_of_an_earlier_version_has_neither_notes_nor_state(tmp_path: Path) -> None:
    path = write_map(tmp_path, FOUND)
    content = json.loads(path.read_text())
    del content["notes"], content["run_state"]
    path.write_text(json.dumps(content))
    assert load_map(tmp_path) == replace(FOUND, notes=(), run_state=None)


def test_without_a_map_there_is_none(tmp_path: Path) -> None:
    assert load_map(tmp_path) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 99}, "by another version of phraseproof (expected version 1, got 99)"),
        ({"points": [{"task": "t"}]}, "the findings about representations are damaged: TypeError"),
        ({"reference": None, "tasks": 3}, "damaged: TypeError"),
    ],
)
def test_a_map_that_cannot_be_read_is_one_line(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = write_map(tmp_path, FOUND)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(RunError) as caught:
        load_map(tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    path.write_text("{")
    with pytest.raises(RunError, match="damaged"):
        load_map(tmp_path)


def test_findings_are_outdated_once_the_run_has_other_cells(tmp_path: Path) -> None:
    one, two = make_cell(), make_cell("b" * 32, instruction="mine/two")
    store = finished_run(tmp_path, one)
    before = load_run(tmp_path)
    found = replace(FOUND, run_state=run_state(before))
    assert out_of_date(before, found) == ""
    store.register([two], {})
    assert out_of_date(load_run(tmp_path), found) == "", "a cell that is not done changes no accuracy"
    store.write(two, make_outcomes(), Usage())
    assert "was evaluated again after its distances were measured" in out_of_date(load_run(tmp_path), found)
    assert out_of_date(load_run(tmp_path), replace(found, run_state=None)) == ""
