from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from phraseproof.analysis.grids import group_relations, load_grids
from phraseproof.core import Cell, Outcome, Relation
from phraseproof.errors import RunError
from phraseproof.store.queries import Run, load_run
from phraseproof.store.writer import RunStore, Usage


def outcome(example: str, score: float, *, predicted: int = 0, options: int = 4) -> Outcome:
    return Outcome(example, score, tuple("abcdef"[:options]), (-1.0,) * options, predicted=predicted, target=0)


def cell(number: int, task: str, wording: str, group: str, *, shots: int = 0, seed: int = 0) -> Cell:
    return Cell(f"{number:032x}", task, "c", wording, group, shots, seed, 2)


def store(path: Path, cells: dict[Cell, list[Outcome]], instructions: dict[str, dict[str, str]] | None = None) -> Run:
    run = RunStore(path, {"model": {"name": "m"}})
    cells = {replace(each, num_examples=len(outcomes)): outcomes for each, outcomes in cells.items()}
    run.register(list(cells), {"groups": {each.group: {} for each in cells}, "instructions": instructions or {}})
    for each, outcomes in cells.items():
        run.write(each, outcomes, Usage())
    return load_run(path)


def test_every_wording_on_every_example(tmp_path: Path):
    run = store(
        tmp_path / "run",
        {
            cell(0, "one", "a/1", "old"): [outcome("x", 1, predicted=2), outcome("y", 0, predicted=1)],
            cell(1, "one", "b/1", "new"): [outcome("x", 1), outcome("y", 1, predicted=3)],
            cell(2, "two", "a/1", "old"): [outcome("x", 0, options=2), outcome("y", 0, options=6)],
        },
        {"a/1": {"text": "Say."}, "two: a/1": {"text": "Tell."}},
    )
    one, two = load_grids(run)
    assert (one.task, one.groups, one.wordings, one.examples) == ("one", ("old", "new"), ("a/1", "b/1"), ("x", "y"))
    assert one.scores is not None
    assert one.scores.tolist() == [[1, 0], [1, 1]]
    assert one.answers is not None
    assert one.answers.tolist() == [[2, 1], [0, 3]]
    assert one.means.tolist() == [0.5, 1.0]
    assert one.chance == 0.25
    assert two.chance == pytest.approx((1 / 2 + 1 / 6) / 2)
    # One name, two texts: not the same wording.
    assert one.keys[0] != two.keys[0]
    assert one.take([1]).wordings == ("b/1",)
    assert one.rows("new").tolist() == [1]


def test_means_are_those_of_the_table(tmp_path: Path):
    random = np.random.default_rng(0)
    cells = {
        cell(number, f"t{number % 3}", f"w/{number}", "ab"[number % 2]): [
            outcome(f"e{n}", float(score)) for n, score in enumerate(random.integers(0, 2, 7))
        ]
        for number in range(12)
    }
    run = store(tmp_path / "run", cells)
    of_table = {(row.task, row.instruction): row.mean_score for row in run.wording_scores()}
    for grid in load_grids(run):
        for wording, mean in zip(grid.wordings, grid.means, strict=True):
            assert mean == pytest.approx(of_table[grid.task, wording])


def test_draws_of_demonstrations_are_averaged_and_planes_kept_apart(tmp_path: Path):
    run = store(
        tmp_path / "run",
        {
            cell(0, "t", "a/1", "g", shots=3, seed=0): [outcome("x", 1), outcome("y", 0, predicted=1)],
            cell(1, "t", "a/1", "g", shots=3, seed=1): [outcome("x", 0, predicted=2), outcome("y", 0, predicted=3)],
            cell(2, "t", "a/1", "g"): [outcome("x", 0), outcome("y", 1)],
        },
    )
    zero, three = load_grids(run)
    assert (zero.num_fewshot, three.num_fewshot) == (0, 3)
    assert three.scores is not None
    assert three.scores.tolist() == [[0.5, 0.0]]
    assert three.answers is not None
    assert three.answers.tolist() == [[0, 1, 2, 3]]
    assert three.means.tolist() == [0.25]


def test_examples_in_another_order_meet_and_those_that_some_lack_are_told(tmp_path: Path):
    run = store(
        tmp_path / "run",
        {
            cell(0, "t", "a/1", "g"): [outcome("x", 1), outcome("y", 0), outcome("z", 1)],
            cell(1, "t", "a/2", "g"): [outcome("z", 0), outcome("x", 1)],
        },
    )
    (grid,) = load_grids(run)
    assert grid.examples == ("x", "z")
    assert grid.scores is not None
    assert grid.scores.tolist() == [[1, 1], [1, 0]]
    assert grid.means.tolist() == pytest.approx([2 / 3, 0.5])
    assert grid.notes == ("t: 1 examples were not scored under every wording, and are left out of intervals.",)


def test_wordings_without_an_example_in_common_leave_means(tmp_path: Path):
    run = store(
        tmp_path / "run",
        {cell(0, "t", "a/1", "g"): [outcome("x", 1)], cell(1, "t", "a/2", "g"): [outcome("y", 0)]},
    )
    (grid,) = load_grids(run)
    assert (grid.scores, grid.answers) == (None, None)
    assert grid.means.tolist() == [1.0, 0.0]


def test_what_groups_are(tmp_path: Path):
    run = store(
        tmp_path / "run",
        {
            cell(0, "t", "a/1", "mine"): [outcome("x", 1)],
            cell(1, "t", "a/2", "mine"): [outcome("x", 1)],
            cell(2, "t", "b/1", "nonsensical"): [outcome("x", 1)],
            cell(3, "t", "b/2", "other"): [outcome("x", 1)],
        },
        {"a/1": {"text": "", "relation": "negated"}, "a/2": {"text": "", "relation": "negated"}},
    )
    assert group_relations(run) == {"mine": Relation.NEGATED, "nonsensical": Relation.NONSENSICAL}


def test_a_damaged_cell_is_named(tmp_path: Path):
    run = store(tmp_path / "run", {cell(0, "t", "a/1", "g"): [outcome("x", 1)]})
    (path,) = (tmp_path / "run").rglob("*.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RunError, match="damaged"):
        load_grids(run)


def test_a_run_without_a_finished_cell(tmp_path: Path):
    RunStore(tmp_path / "run", {}).register([cell(0, "t", "a/1", "g")], {})
    with pytest.raises(RunError, match="no cell"):
        load_grids(load_run(tmp_path / "run"))
