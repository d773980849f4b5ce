"""Intervals hold the truth as often as they say, on answers drawn from a model whose truth is known.

benchmarks/statistics/coverage.py prints the same for more settings; its figures are in docs/statistics.md.
"""

import numpy as np
import pytest

from phraseproof.analysis.statistics import robustness
from support.grid_samples import draw, grid

REPLICATES = 200
# Three standard errors of a share of 200 that is truly 95%.
LOWEST = 0.95 - 3 * np.sqrt(0.95 * 0.05 / REPLICATES)


@pytest.mark.slow
def test_mean_std_and_difference_hold_the_truth_as_often_as_they_say():
    random = np.random.default_rng(0)
    wordings, examples = 10, 80
    many = draw(random, 2000, 2000)
    mean, beyond = many.mean(), many.mean(axis=1).std()
    std = np.sqrt(np.mean([draw(random, wordings, examples).mean(axis=1).var(ddof=1) for _ in range(1500)]))
    truth = {"mean": mean, "std": std, "std_beyond_chance": beyond, "q50": np.median(many.mean(axis=1))}
    held = dict.fromkeys((*truth, "difference"), 0)
    for seed in range(REPLICATES):
        scores = draw(random, 2 * wordings, examples)
        (found,) = robustness([grid(scores, groups=["a"] * wordings + ["b"] * wordings)], seed=seed, resamples=400)
        findings = {**found.overall.groups["a"].findings, "difference": found.overall.differences["b"]}
        for name in held:
            low, high = findings[name].low, findings[name].high
            assert low is not None
            assert high is not None
            held[name] += low <= truth.get(name, 0.0) <= high
    shares = {name: count / REPLICATES for name, count in held.items()}
    assert all(share >= LOWEST for share in shares.values()), shares
    # An interval that is always right is too wide.
    assert shares["difference"] < 1
    assert shares["mean"] < 1
