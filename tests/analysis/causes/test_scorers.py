"""What scorers have in common, with shares that are known because they were put in."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from phraseproof.analysis.causes.scorers import ScorerSpread, SpreadOf, pair_spread, scorer_spread, why_not_compared
from phraseproof.analysis.grids import Floats
from phraseproof.core import Finding
from support.scorer_grids import known_scorers, names_of


def parts(found: ScorerSpread) -> tuple[Finding, ...]:
    return (found.common, *found.alone, found.noise)


def contains(found: Finding, value: float) -> bool:
    assert found.low is not None
    assert found.high is not None
    return found.low - 1e-9 <= value <= found.high + 1e-9


@pytest.mark.parametrize(
    ("common", "alone", "wordings", "examples"),
    [
        (0.1, (0.05, 0.05), 12, 150),
        (0.1, (0.1, 0.0), 12, 150),
        (0.0, (0.1, 0.1), 12, 150),
        (0.1, (0.05, 0.05, 0.1), 10, 60),
        (0.1, (0.05, 0.05), 40, 30),
    ],
)
def test_shares_that_were_put_in_are_found_and_their_intervals_contain_them(
    common: float, alone: tuple[float, ...], wordings: int, examples: int
) -> None:
    grids = 200
    errors: list[Floats] = []
    covered: list[list[bool]] = []
    correlations: list[bool] = []
    for seed in range(grids):
        rng = np.random.default_rng(seed)
        known = known_scorers(rng, common=common, alone=alone, wordings=wordings, examples=examples)
        found = scorer_spread(known.scores, names_of(known), seed=seed, resamples=200)
        assert sum(share.estimate for share in parts(found)) == pytest.approx(1)
        errors.append(np.array([share.estimate for share in parts(found)]) - known.shares)
        covered.append([contains(share, value) for share, value in zip(parts(found), known.shares, strict=True)])
        if ("s0", "s1") in found.correlations:
            correlations.append(contains(found.correlations["s0", "s1"], known.correlation))
    assert np.abs(np.median(errors, axis=0)).max() < 0.04
    # 95% less three standard errors of a share of 200 grids.
    assert np.mean(covered, axis=0).min() > 0.95 - 3 * (0.95 * 0.05 / grids) ** 0.5
    assert len(correlations) > grids / 2
    assert np.mean(correlations) > 0.95 - 3 * (0.95 * 0.05 / len(correlations)) ** 0.5


def test_where_no_wording_differs_no_share_is_stated() -> None:
    found = []
    for seed in range(200):
        known = known_scorers(np.random.default_rng(seed), common=0.0, alone=(0.0, 0.0))
        found.append(scorer_spread(known.scores, names_of(known), seed=seed, resamples=50))
    # Two scorers, each of which seems to have a spread in one run of twenty.
    assert np.mean([each.is_beyond_chance for each in found]) < 0.1 + 3 * (0.1 * 0.9 / 200) ** 0.5
    assert np.mean([each.is_beyond_chance and each.can_tell for each in found]) < 0.02


def test_covariances_are_means_over_pairs_of_different_examples() -> None:
    known = known_scorers(np.random.default_rng(3), common=0.1, alone=(0.1, 0.05), wordings=5, examples=12)
    found = scorer_spread(known.scores, names_of(known), resamples=20)
    pairs = list(permutations(range(12), 2))
    true = np.array([
        [np.mean([np.cov(one[:, a], other[:, b])[0, 1] for a, b in pairs]) for other in known.scores]
        for one in known.scores
    ])  # fmt: skip
    observed = np.array([np.var(scores.mean(axis=1), ddof=1) for scores in known.scores])
    assert found.stds == pytest.approx(observed**0.5)
    assert found.common.estimate == pytest.approx(true[0, 1] / observed.mean())
    expected = (np.diag(true) - true[0, 1]) / 2 / observed.mean()
    assert [share.estimate for share in found.alone] == pytest.approx(expected)
    assert found.noise.estimate == pytest.approx(np.mean(observed - np.diag(true)) / observed.mean())


def test_one_scorer_twice_has_all_of_its_spread_in_common() -> None:
    known = known_scorers(np.random.default_rng(0), common=0.2, alone=(0.0, 0.0), examples=300)
    found = scorer_spread(known.scores[[0, 0]], names_of(known), resamples=100)
    assert [share.estimate for share in found.alone] == pytest.approx([0, 0])
    assert found.common.estimate + found.noise.estimate == pytest.approx(1)
    correlation = found.correlations["s0", "s1"]
    assert (correlation.estimate, correlation.low, correlation.high) == pytest.approx((1, 1, 1))
    assert found.main_alone == ""


def test_a_scorer_without_a_spread_leaves_the_spread_to_the_other() -> None:
    known = known_scorers(np.random.default_rng(0), common=0.0, alone=(0.2, 0.0), examples=400)
    found = scorer_spread(known.scores, names_of(known), resamples=200)
    assert found.main_alone == "s0"
    assert found.alone[0].estimate > 0.6
    assert found.correlations == {}


def test_the_same_seed_gives_the_same_intervals_and_equal_scores_have_no_shares() -> None:
    known = known_scorers(np.random.default_rng(5), common=0.1, alone=(0.1, 0.1))
    first, again = (scorer_spread(known.scores, names_of(known), seed=4, resamples=50) for _ in range(2))
    assert parts(first) == parts(again)
    equal = scorer_spread(np.ones((2, 3, 10)), SpreadOf("t", "C", 0, ("a", "b"), ("x", "y", "z")), resamples=10)
    assert not equal.is_beyond_chance
    assert [share.estimate for share in parts(equal)] == [0, 0, 0, 0]


def test_few_wordings_or_examples_have_a_reason() -> None:
    assert why_not_compared(3, 10) == ""
    assert why_not_compared(2, 10) == "it needs 3 wordings or more that every scoring has, and there are 2"
    assert "and there are 9" in why_not_compared(3, 9)


@pytest.mark.parametrize(("common", "alone"), [(0.1, (0.05, 0.05)), (0.1, (0.0, 0.1)), (0.0, (0.1, 0.0))])
def test_the_share_that_another_scorer_does_not_have_is_found_and_its_interval_contains_it(
    common: float, alone: tuple[float, float]
) -> None:
    covered: list[tuple[bool, bool]] = []
    errors: list[float] = []
    for seed in range(200):
        known = known_scorers(np.random.default_rng(seed), common=common, alone=alone, examples=100)
        true = known.covariance
        found = pair_spread(known.scores, seed=seed, resamples=200)
        if found is None:  # the first variance may be 0
            continue
        unshared, ratio = 1 - true[0, 1] / true[0, 0], true[1, 1] / true[0, 0]
        covered.append((contains(found.unshared, unshared), contains(found.ratio, ratio)))
        errors.append(found.unshared.estimate - unshared)
    assert len(errors) > 150
    assert abs(np.median(errors)) < 0.04
    assert np.mean(covered, axis=0).min() > 0.95 - 3 * (0.95 * 0.05 / 200) ** 0.5


def test_a_variance_that_may_be_zero_has_no_shares() -> None:
    known = known_scorers(np.random.default_rng(1), common=0.0, alone=(0.0, 0.1), examples=60)
    assert pair_spread(known.scores, resamples=50) is None
