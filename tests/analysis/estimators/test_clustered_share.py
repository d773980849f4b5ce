from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, norm, t

from phraseproof.analysis.estimators.clustered_share import clustered_share


def test_a_share_of_hits_alone_is_wilsons_interval_with_the_number_of_clusters() -> None:
    """scipy takes whole numbers: 100 clusters, less the factor of the t quantile, which is 0.975."""
    found = clustered_share("x", np.full(100, 3.0), np.full(100, 3.0))
    factor = (norm.ppf(0.975) / t.ppf(0.975, 99)) ** 2
    low, high = (
        binomtest(count, count).proportion_ci(method="wilson").low
        for count in (int(100 * factor), int(100 * factor) + 1)
    )
    assert found.low is not None
    assert low <= found.low <= high
    assert (found.estimate, found.high, found.n) == (1.0, 1.0, 300)


def test_clusters_of_one_are_a_simple_sample() -> None:
    hits = np.array([1.0] * 30 + [0.0] * 70)
    found = clustered_share("x", hits, np.ones(100))
    simple = binomtest(30, 100).proportion_ci(method="wilson")
    # The variance has n - 1 below, and the quantile is that of t: 3% fewer answers.
    assert (found.low, found.high) == pytest.approx((simple.low, simple.high), abs=0.003)
    # Two copies of each observation hold no more.
    twice = clustered_share("x", 2 * hits, np.full(100, 2.0))
    assert (twice.low, twice.high) == pytest.approx((found.low, found.high))


def test_observations_that_cancel_in_each_cluster_count_as_independent_ones() -> None:
    found = clustered_share("x", np.ones(20), np.full(20, 2.0))
    assert found.estimate == 0.5
    assert found.low is not None
    assert found.low < 0.4


def test_one_cluster_has_no_interval() -> None:
    found = clustered_share("x", np.array([1.0]), np.array([4.0]))
    assert (found.estimate, found.low, found.high) == (0.25, None, None)


@pytest.mark.parametrize(
    ("clusters", "share", "spread"), [(10, 0.8, 0.5), (10, 0.5, 3.0), (30, 0.95, 2.0), (60, 0.3, 1.0)]
)
def test_intervals_cover_the_truth(clusters: int, share: float, spread: float) -> None:
    """Shares of clusters are drawn from a beta distribution: the smaller `spread`, the more alike its answers are."""
    draw = np.random.default_rng(7)
    sizes = draw.integers(2, 9, (2000, clusters))
    shares = draw.beta(share * spread, (1 - share) * spread, (2000, clusters))
    hits = draw.binomial(sizes, shares)
    covered = [
        found.low <= share <= found.high
        for row, counts in zip(hits, sizes, strict=True)
        if (found := clustered_share("x", row.astype(float), counts.astype(float))).low is not None
        and found.high is not None
    ]
    assert 0.93 <= np.mean(covered) <= 0.995
