"""From scored cells to a grid and its draws: what is read, what is kept, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from phraseproof.analysis.estimators.rasch import Grid
from phraseproof.analysis.estimators.sampled_grid import DRAWS, estimate_grid, kept_or_drawn, sampled_grid
from phraseproof.core import Cell
from phraseproof.errors import NotEnoughDataError, RunError
from phraseproof.store.estimates import KeptDraws


def cell(name: str, group: str, *, scored: int, of: int | None = None) -> Cell:
    return Cell(f"id-{name}", "t", "C", name, group, 0, 0, scored, grid_examples=of)


CELLS = {
    cell("b", "late", scored=2, of=6): {"e1": 1.0, "e4": 0.0},
    cell("a", "early", scored=2, of=6): {"e4": 1.0, "e5": 0.5},
}


def test_a_row_per_cell_and_a_column_per_example_of_the_whole_grid():
    grid = sampled_grid(CELLS, ["early", "late"], None)
    assert grid.scores.shape == (2, 6)
    np.testing.assert_array_equal(grid.seen.sum(axis=1), [2, 2])
    np.testing.assert_array_equal(grid.seen.sum(axis=0), [1, 2, 1, 0, 0, 0])
    np.testing.assert_array_equal(grid.scores.sum(axis=1), [1.0, 1.5])
    assert grid.groups.tolist() == [1, 0]
    assert grid.features.shape == (2, 0)


def test_scores_outside_0_to_1_are_refused():
    for wrong in (1.5, -0.1, float("nan")):
        with pytest.raises(RunError, match="scores of 't' cannot be estimated"):
            sampled_grid({cell("a", "g", scored=1, of=2): {"e": wrong}}, ["g"], None)


def test_a_whole_grid_is_its_means_and_an_unseen_wording_is_refused():
    scores = np.random.default_rng(0).random((3, 5))
    grid = Grid(scores, np.ones((3, 5)), np.zeros(3, dtype=np.int64), np.zeros((3, 0)))
    np.testing.assert_allclose(estimate_grid(grid), np.repeat(scores.mean(axis=1)[None], 2, axis=0))
    seen = np.ones((3, 5))
    seen[1] = 0
    with pytest.raises(NotEnoughDataError, match="a wording has no outcome"):
        estimate_grid(replace(grid, seen=seen))


def test_draws_are_kept_by_grid_and_seed(tmp_path: Path):
    grid = sampled_grid(CELLS, ["early", "late"], None)
    kept = KeptDraws(tmp_path, "plain")
    first = kept_or_drawn(grid, 3, kept)
    assert first.shape == (DRAWS, 2)
    np.testing.assert_array_equal(kept_or_drawn(grid, 3, KeptDraws(tmp_path, "plain")), first)
    assert len(list((tmp_path / "estimates").iterdir())) == 1
    assert not np.array_equal(kept_or_drawn(grid, 4, kept), first)
    assert not np.array_equal(kept_or_drawn(replace(grid, scores=grid.seen - grid.scores), 3, kept), first)
    assert len(list((tmp_path / "estimates").iterdir())) == 3
