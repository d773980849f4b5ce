"""Variance components: exact sums, no bias by noise, and covariances compared with plain ones."""

from __future__ import annotations

import numpy as np
import pytest

from phraseproof.analysis.causes.components import components, fold_effects
from phraseproof.analysis.option_values import scores
from support.known_causes import known_values


def test_the_causes_add_up_to_the_covariance_of_accuracies_between_examples() -> None:
    rng = np.random.default_rng(0)
    of = known_values(rng.normal(size=(8, 3)), rng.uniform(0, 2, 8), examples=50)
    found = components(fold_effects(of, rng), np.arange(8))
    # Unbiased from all pairs of different examples: the variance of means less the mean squared residual over E.
    scored = scores(of.values, of)
    rest = scored - scored.mean(axis=1, keepdims=True)
    rest -= rest.mean(axis=0)
    plain = np.var(scored.mean(axis=1), ddof=1) - np.sum(rest**2) / (7 * 49) / 50
    # Folds use the pairs of different folds only, 4 in 5 of them.
    assert found.true[0] == pytest.approx(plain, abs=0.25 * plain)
    assert found.observed[0] == pytest.approx(np.var(scored.mean(axis=1), ddof=1))


def test_over_many_grids_in_which_nothing_moves_the_parts_have_mean_zero() -> None:
    parts = []
    for seed in range(60):
        of = known_values(np.tile([0.4, -0.4], (6, 1)), np.full(6, 0.8), examples=40, seed=seed)
        found = components(fold_effects(of, np.random.default_rng(seed)), np.arange(6))
        parts.append(found.causes[0] / found.observed[0])
    error = np.std(parts, axis=0) / 60**0.5
    assert (np.abs(np.mean(parts, axis=0)) < 3 * error + 0.02).all()


def test_draws_of_demonstrations_are_a_part_of_their_own() -> None:
    rng = np.random.default_rng(1)
    # Wordings do not differ; draws do.
    of = known_values(np.zeros((6, 2)), np.full(6, 1.0), examples=300, draws=rng.normal(size=(6, 4, 2)))
    wording = np.repeat(np.arange(6), 4)
    found = components(fold_effects(of, rng), wording)
    means = scores(of.values, of).mean(axis=1).reshape(6, 4)
    assert found.draws[0] == pytest.approx(np.var(means, axis=1, ddof=1).mean() / 4, rel=0.25)
    assert found.observed[0] == pytest.approx(np.var(means.mean(axis=1), ddof=1))
    # A resample with every count at 1 is the sample, also with wordings given.
    same = components(fold_effects(of, np.random.default_rng(1)), wording, wordings=np.ones((1, 6)))
    again = components(fold_effects(of, np.random.default_rng(1)), wording)
    assert np.allclose(same.causes, again.causes)
