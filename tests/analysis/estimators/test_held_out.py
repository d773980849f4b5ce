"""Intervals of held-out scores, compared with published formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from phraseproof.analysis.estimators.held_out import fold_variance, mean_gain, mean_score, of_one_choice


def test_a_mean_of_right_and_wrong_answers_has_nearly_wilsons_interval() -> None:
    scores = np.array([1.0] * 37 + [0.0] * 63)
    found = mean_score("accuracy", scores)
    expected = binomtest(37, 100).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=2e-3)
    none = mean_score("accuracy", np.zeros(20))
    expected = binomtest(0, 20).proportion_ci(method="wilson")
    assert (none.low, none.high) == pytest.approx((0, expected.high))


def test_a_gain_has_bonett_and_prices_interval() -> None:
    better, worse, count = 20, 8, 200
    gains = np.array([1.0] * better + [-1.0] * worse + [0.0] * (count - better - worse))
    found = mean_gain("gain", gains)
    p12, p21 = (better + 1) / (count + 2), (worse + 1) / (count + 2)
    error = np.sqrt((p12 + p21 - (p12 - p21) ** 2) / (count + 2))
    assert found.estimate == pytest.approx(0.06)
    assert found.low == pytest.approx(p12 - p21 - 1.96 * error, abs=2e-3)
    assert found.high == pytest.approx(p12 - p21 + 1.96 * error, abs=2e-3)


def test_no_difference_in_any_example_leaves_an_interval() -> None:
    found = mean_gain("gain", np.zeros(30))
    assert found.low is not None
    assert found.high is not None
    assert found.low < -0.05
    assert found.high > 0.05
    assert found.p_value == 1.0


def test_the_larger_variance_counts() -> None:
    scores = np.array([1.0, 0.0] * 50)
    plain, wide = mean_score("a", scores), mean_score("a", scores, jackknife=0.01)
    widths = [each.high - each.low for each in (plain, wide) if each.high is not None and each.low is not None]
    assert widths[0] < 0.2 < widths[1]
    assert mean_score("a", scores, jackknife=1e-6) == plain


def test_the_interval_of_one_choice_reaches_from_the_lowest_to_the_highest() -> None:
    low, high = (mean_gain("a", np.array([value, 0.0] * 20)) for value in (-1.0, 1.0))
    found = of_one_choice(mean_gain("a", np.zeros(40)), low, high)
    assert (found.estimate, found.low, found.high, found.p_value) == (0.0, low.low, high.high, None)


def test_the_jackknife_of_means_without_each_fold_is_the_variance_of_a_mean_of_folds() -> None:
    folds = np.array([0.1, 0.5, 0.3, 0.4, 0.7])
    left_out = (folds.sum() - folds) / 4
    assert fold_variance(left_out) == pytest.approx(folds.var(ddof=1) / 5)
