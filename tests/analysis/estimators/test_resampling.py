"""Resampling of wordings and examples."""

import numpy as np
import pytest

from phraseproof.analysis import score_table
from phraseproof.analysis.estimators import resampling
from phraseproof.analysis.estimators.crossed import draw_samples
from phraseproof.analysis.estimators.resampling import Resampler, example_noise, resampled_stds
from support.grid_samples import grid


def test_the_same_seed_draws_the_same() -> None:
    scores = np.random.default_rng(0).integers(0, 2, (6, 40))
    first, second, other = (draw_samples(grid(scores), Resampler(seed, 50))["g"] for seed in (1, 1, 2))
    assert np.array_equal(first.means, second.means)
    assert not np.array_equal(first.means, other.means)
    assert first.means.shape == (50, 6)


def plain_draws(size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, size, (50, size))


def test_resamples_in_parts_are_those_of_plain_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "BLOCK", 24)  # three resamples of eight wordings
    names = tuple("abcdefgh")
    draws = Resampler(0, 50).wordings(names)
    picks = plain_draws(8)
    assert np.array_equal(draws.picks, picks)
    values = np.random.default_rng(1).random((50, 8))
    of_resamples = np.take_along_axis(values, picks, axis=1)
    assert np.array_equal(draws.of(values, lambda of: of.max(axis=1)), of_resamples.max(axis=1))
    counts = (picks[:, None] == np.arange(8)[None, :, None]).sum(axis=2)
    weights = 1 / 8 + np.sqrt(8 / 7) * (counts / 8 - 1 / 8)
    assert draws.weighted(values) == pytest.approx((values * weights).sum(axis=1), abs=1e-14)
    means = values.mean(axis=0)
    noise = np.mean(np.var(values - means, axis=1, ddof=1))
    assert example_noise(means, values) == pytest.approx(noise)
    own = np.var(means, ddof=1)
    centre = values.mean(axis=1, keepdims=True)
    spread = np.take_along_axis(centre + (values - centre) * np.sqrt(own / (own + noise)), picks, axis=1)
    assert resampled_stds(means, values, draws, float(noise)) == pytest.approx(np.std(spread, axis=1, ddof=1))


def test_blocks_of_scores_give_the_means_of_whole_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (np.random.default_rng(0).integers(0, 2, (6, examples)) for examples in (40, 1200))
    whole = [Resampler(1, 50).means(grid(scores)) for scores in (few, many)]
    monkeypatch.setattr(score_table, "BLOCK", 600)
    for scores, expected in zip((few, many), whole, strict=True):
        assert Resampler(1, 50).means(grid(scores)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("wordings", [40, 310])
def test_many_examples_are_resampled_with_their_covariance(wordings: int) -> None:
    """Above the number of resamples, 300, by sums over examples; below by the matrix of covariances."""
    random = np.random.default_rng(0)
    chances = random.random((1, 1100)) * 0.6 + random.random((wordings, 1)) * 0.4
    scores = (random.random((wordings, 1100)) < chances).astype(float)
    found = Resampler(1, 300).means(grid(scores)) - scores.mean(axis=1)
    expected = np.cov(scores, ddof=1) / 1100
    assert np.mean(np.var(found, axis=0, ddof=1)) == pytest.approx(np.trace(expected) / wordings, rel=0.1)
    assert np.var(found.mean(axis=1), ddof=1) == pytest.approx(expected.mean(), rel=0.25)
