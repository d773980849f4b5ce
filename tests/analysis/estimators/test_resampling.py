"""Resampling of wordings and examples."""

import numpy as np

from phraseproof.analysis.estimators.crossed import draw_samples
from phraseproof.analysis.estimators.resampling import Resampler
from support.grid_samples import grid


def test_the_same_seed_draws_the_same() -> None:
    scores = np.random.default_rng(0).integers(0, 2, (6, 40))
    first, second, other = (draw_samples(grid(scores), Resampler(seed, 50))["g"] for seed in (1, 1, 2))
    assert np.array_equal(first.means, second.means)
    assert not np.array_equal(first.means, other.means)
    assert first.means.shape == (50, 6)
