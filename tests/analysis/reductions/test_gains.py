"""Intervals of gains against formulas that are written out."""

from __future__ import annotations

from statistics import variance

import numpy as np
import pytest
from scipy import stats

from phraseproof.analysis.reductions.gains import NOTHING, Variance, at_level, gain_of, seed_variance, weighted_gain


def test_one_variance_gives_students_interval() -> None:
    found = gain_of([0.1], Variance(0.0004, 9), NOTHING, 0.95)
    low, high = stats.t.interval(0.95, 9, loc=0.1, scale=0.02)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_seeds_add_the_variance_of_their_mean() -> None:
    seeds = [0.10, 0.16, 0.04]
    of_seeds = variance(seeds) / 3
    assert seed_variance(seeds) == pytest.approx((of_seeds, 2))
    found = gain_of(seeds, Variance(0.0004, 50), Variance(0.0001, 7), 0.9)
    total = 0.0005 + of_seeds
    freedom = total**2 / (0.0004**2 / 50 + 0.0001**2 / 7 + of_seeds**2 / 2)
    low, high = stats.t.interval(0.9, freedom, loc=0.1, scale=total**0.5)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.1, low, high))
    assert at_level(gain_of(seeds, Variance(0.0004, 50), Variance(0.0001, 7), 0.95), 0.9) == found


def test_the_interval_stays_within_what_a_difference_can_be() -> None:
    assert gain_of([0.9], Variance(0.09, 5), NOTHING, 0.95).high == 1.0
    assert gain_of([0.1], Variance(0.09, 5), NOTHING, 0.95, least=0.0).low == 0.0
    assert gain_of([0.25], NOTHING, NOTHING, 0.95)[:3] == (0.25, 0.25, 0.25)


def test_seeds_are_averaged_over_tasks_before_their_variance_is_taken() -> None:
    # Each seed is good on one task and bad on the other: the mean over tasks does not depend on it.
    first = gain_of([0.1, 0.3], Variance(0.0004, 9), Variance(0.0001, 5), 0.95)
    second = gain_of([0.3, 0.1], Variance(0.0004, 9), Variance(0.0001, 5), 0.95)
    both = weighted_gain([first, second], [0.5, 0.5], 0.95, wordings=[frozenset("ab"), frozenset("ab")])
    assert both.of_seeds == pytest.approx((0.2, 0.2))
    assert both.over_seeds.value == pytest.approx(0)
    assert both.over_examples.value == pytest.approx(0.0002)


@pytest.mark.parametrize(
    ("second", "variance", "freedom"),
    [
        ("abcd", (0.5 * 0.02 + 0.5 * 0.04) ** 2, 5),  # the same wordings: Stds add up
        ("efgh", (0.01**2 + 0.02**2), (0.01**2 + 0.02**2) ** 2 / (0.01**4 / 5 + 0.02**4 / 5)),  # none in common
        ("abef", 0.01**2 + 0.02**2 + 2 * 0.5 * 0.01 * 0.02, None),  # half of them
    ],
)
def test_wordings_that_tasks_share_are_one_draw(second: str, variance: float, freedom: float | None) -> None:
    gains = [gain_of([0.1], NOTHING, Variance(std**2, 5), 0.95) for std in (0.02, 0.04)]
    found = weighted_gain(gains, [0.5, 0.5], 0.95, wordings=[frozenset("abcd"), frozenset(second)])
    assert found.over_wordings.value == pytest.approx(variance)
    if freedom is not None:
        assert found.over_wordings.degrees_of_freedom == pytest.approx(freedom)
    assert 5 <= found.over_wordings.degrees_of_freedom <= 10


@pytest.mark.slow
def test_intervals_over_seeds_wordings_and_examples_hold_in_95_percent_of_simulations() -> None:
    random = np.random.default_rng(4)
    held = 0
    for _ in range(400):
        seeds, wordings, examples = 5, 8, 60
        found = (
            0.05
            + random.normal(0, 0.03, (seeds, 1, 1))
            + random.normal(0, 0.04, (1, wordings, 1))
            + random.normal(0, 0.3, (1, 1, examples))
            + random.normal(0, 0.3, (seeds, wordings, examples))
        )
        of_examples = Variance(float(np.var(found.mean(axis=(0, 1)), ddof=1)) / examples, examples - 1)
        of_wordings = Variance(float(np.var(found.mean(axis=(0, 2)), ddof=1)) / wordings, wordings - 1)
        gain = gain_of(found.mean(axis=(1, 2)).tolist(), of_examples, of_wordings, 0.95)
        held += gain.low <= 0.05 <= gain.high
    assert 0.93 * 400 <= held <= 0.99 * 400
