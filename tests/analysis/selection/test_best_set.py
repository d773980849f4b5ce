"""Comparisons with the best."""

from __future__ import annotations

import numpy as np

from phraseproof.analysis.selection.best_set import compare_with_best


def _normal_case(means: np.ndarray, seed: int = 0, resamples: int = 4000):
    draw = np.random.default_rng(seed)
    return compare_with_best(means, means + draw.standard_normal((resamples, len(means))))


def test_two_wordings_agree_with_the_test_of_their_difference() -> None:
    from scipy.stats import norm

    found = _normal_case(np.array([2.5, 0.0]), resamples=40_000)
    assert found.p_values[0] == 1
    # The largest deviation exceeds the wording's own by at least 2.5 with the one-sided probability.
    assert abs(found.p_values[1] - norm.sf(2.5 / np.sqrt(2))) < 0.005
    assert abs(found.p_equal - 2 * norm.sf(2.5 / np.sqrt(2))) < 0.01


def test_equal_wordings_are_all_possibly_the_best() -> None:
    found = _normal_case(np.full(6, 0.5))
    assert np.all(found.p_values == 1)
    assert found.p_equal == 1


def test_a_true_best_wording_is_kept_in_nineteen_of_twenty_cases() -> None:
    draw = np.random.default_rng(4)
    kept = [_normal_case(draw.standard_normal(10), seed, 400).p_values[0] > 0.05 for seed in range(400)]
    assert np.mean(kept) > 0.93
    # All ten are equally good: they are called different in one of twenty cases.
    draw = np.random.default_rng(5)
    rejected = [_normal_case(draw.standard_normal(10), seed, 400).p_equal <= 0.05 for seed in range(400)]
    assert 0.02 < np.mean(rejected) < 0.085
