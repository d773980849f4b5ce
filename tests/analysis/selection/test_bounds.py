"""Bounds that hold for all wordings at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from phraseproof.analysis.selection.bounds import simultaneous_bounds
from phraseproof.analysis.selection.candidates import Block, Candidates
from phraseproof.analysis.selection.criteria import Criterion, Objective
from phraseproof.analysis.selection.resampling import normal_deviations


def _bounds(candidates: Candidates, objective: Objective | None = None):
    aim = objective or Objective()
    return simultaneous_bounds(candidates, aim, normal_deviations(candidates, np.random.default_rng(0), 4000))


def _right(share: float, size: int) -> np.ndarray:
    return (np.arange(size) < round(share * size)).astype(float)


def test_one_wording_has_the_bounds_of_clopper_and_pearson() -> None:
    found = _bounds(Candidates(("a",), (Block("", 0, _right(0.7, 50)[None], 1.0),)))
    test = stats.binomtest(35, 50)
    exact = stats.binomtest(35, 50, alternative="greater").proportion_ci(0.95, method="exact")
    # The quantile of 4,000 draws decides where it is above the normal one.
    assert found.at_least[0] == pytest.approx(exact.low, abs=0.004)
    both = test.proportion_ci(0.95, method="exact")
    assert (found.low[0], found.high[0]) == pytest.approx((both.low, both.high), abs=0.004)


def test_wordings_with_the_same_answers_cost_nothing_and_independent_ones_cost_as_bonferroni_says() -> None:
    draw = np.random.default_rng(1)
    one = (draw.random(200) < 0.6).astype(float)
    same = _bounds(Candidates(("",) * 20, (Block("", 0, np.tile(one, (20, 1)), 1.0),)))
    alone = _bounds(Candidates(("",), (Block("", 0, one[None], 1.0),)))
    assert same.at_least[0] == pytest.approx(alone.at_least[0], abs=0.003)
    apart = (draw.random((20, 200)) < 0.6).astype(float)
    found = _bounds(Candidates(("",) * 20, (Block("", 0, apart, 1.0),)))
    right = apart.sum(axis=1)
    bonferroni = stats.beta.ppf(0.05 / 20, right, 200 - right + 1)
    assert np.all(found.at_least >= bonferroni - 1e-9)
    assert found.at_least == pytest.approx(bonferroni, abs=0.01)


def test_a_wording_that_is_always_right_is_not_perfect() -> None:
    found = _bounds(Candidates(("a", "b"), (Block("", 0, np.ones((2, 30)), 1.0),)))
    assert found.at_least[0] == pytest.approx(0.025 ** (1 / 30))
    assert found.high[0] == 1


def test_the_worst_of_two_blocks_is_at_least_the_lower_bound() -> None:
    blocks = (Block("x", 0, _right(0.8, 100)[None], 0.5), Block("y", 1, _right(0.6, 40)[None], 0.5))
    found = _bounds(Candidates(("a",), blocks), Objective(Criterion.WORST))
    exact = stats.binomtest(24, 40, alternative="greater").proportion_ci(0.95, method="exact")
    assert found.at_least[0] == pytest.approx(exact.low, abs=0.005)
    tail = _bounds(Candidates(("a",), blocks), Objective(Criterion.CVAR, 0.5))
    assert tail.at_least[0] == pytest.approx(found.at_least[0], abs=0.005)
    mean = _bounds(Candidates(("a",), blocks))
    assert mean.at_least[0] > (0.7 + found.at_least[0]) / 2 - 0.05
