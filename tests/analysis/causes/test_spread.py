"""Causes of spread, with causes that are known because they were put in."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from phraseproof.analysis.causes.spread import SpreadCauses, difference_p_value, is_named, spread_causes, why_not
from phraseproof.analysis.option_values import OptionValues, scores
from phraseproof.core import Finding
from support.known_causes import known_values

WORDINGS = 10


def only_priors(seed: int, examples: int, classes: int, labels: tuple[float, ...] | None = None) -> OptionValues:
    rng = np.random.default_rng(seed)
    priors = rng.normal(size=(WORDINGS, classes))
    return known_values(priors, np.full(WORDINGS, 1.5), examples=examples, seed=seed, labels=labels)


def only_skill(seed: int, examples: int, classes: int, labels: tuple[float, ...] | None = None) -> OptionValues:
    rng = np.random.default_rng(seed)
    priors = np.tile(rng.normal(size=classes), (WORDINGS, 1))
    return known_values(priors, rng.uniform(0, 3, WORDINGS), examples=examples, seed=seed, labels=labels)


def estimates(found: SpreadCauses) -> dict[str, float]:
    return {name: share.estimate for name, share in found.shares.items()}


@pytest.mark.parametrize(("classes", "labels"), [(2, None), (2, (0.8, 0.2)), (4, None), (7, None)])
def test_the_cause_that_was_put_in_has_nearly_all_of_the_spread(classes: int, labels: tuple[float, ...] | None) -> None:
    for make, cause, other in ((only_priors, "prior", "skill"), (only_skill, "skill", "prior")):
        found = [spread_causes(make(seed, 400, classes, labels), resamples=100) for seed in range(4)]
        shares = [estimates(each) for each in found]
        assert all(sum(each.values()) == pytest.approx(1) for each in shares)
        assert np.median([each[cause] for each in shares]) > 0.65
        assert np.abs([each[other] for each in shares]).max() < 0.2
        told = [each for each in found if each.is_beyond_chance and each.can_tell]
        assert all(
            max(("prior", "skill", "joint"), key=lambda n, e=each: e.shares[n].estimate) == cause for each in told
        )
        assert len(told) >= 2


GRIDS = 60


class _Grids(NamedTuple):
    """Many runs in which nothing moves: how many seem to have a spread or a skill."""

    spread: float
    told: float
    skilled: float


def nothing_moves(skill: float, labels: tuple[float, ...] | None) -> _Grids:
    found = [
        spread_causes(
            known_values(np.tile([0.3, -0.3], (6, 1)), np.full(6, skill), examples=30, seed=seed, labels=labels),
            resamples=20,
        )
        for seed in range(GRIDS)
    ]
    return _Grids(
        float(np.mean([each.is_beyond_chance for each in found])),
        float(np.mean([each.is_beyond_chance and each.can_tell for each in found])),
        float(np.mean([each.skilled > 0 for each in found])),
    )


@pytest.mark.parametrize("labels", [None, (0.8, 0.2)])
def test_where_nothing_moves_a_spread_is_reported_in_one_run_of_twenty(labels: tuple[float, ...] | None) -> None:
    found = nothing_moves(0.0, labels)
    assert found.spread <= 0.05 + 3 * (0.05 * 0.95 / GRIDS) ** 0.5
    assert found.told <= found.spread
    assert found.skilled <= 0.05 + 3 * (0.05 * 0.95 / GRIDS) ** 0.5


def contains(interval: Finding, value: float) -> bool:
    assert interval.low is not None
    assert interval.high is not None
    return interval.low <= value <= interval.high


def test_intervals_of_these_wordings_contain_0_where_priors_do_not_differ() -> None:
    # With priors that resamples keep, these intervals contain it in little more than half of the runs.
    found = [spread_causes(only_skill(seed, 60, 2, (0.8, 0.2)), seed=seed, resamples=100) for seed in range(25)]
    shares = [each.shares["prior"] for each in found]
    assert np.mean([contains(share, 0.0) for share in shares]) >= 0.9
    assert np.median([share.high - share.low for share in shares if share.high and share.low]) < 0.3


@pytest.mark.parametrize(("leading", "can_tell"), [((0.1, 0.85), True), ((0.3, 1.3), False), ((-0.1, 0.5), False)])
def test_a_cause_is_named_by_the_whole_interval_of_its_share(leading: tuple[float, float], can_tell: bool) -> None:
    other = Finding("", 0.0, 3, "", -0.3, 0.3)
    shares = {"prior": other, "skill": Finding("skill", 0.6, 3, "", *leading), "joint": other}
    assert is_named(shares) == can_tell


@pytest.mark.slow
def test_intervals_of_other_wordings_contain_the_share_that_any_number_of_wordings_and_examples_would_show() -> None:
    # The share among what is no noise, of 400 wordings with 400 examples.
    rng = np.random.default_rng(0)
    many = known_values(rng.normal(size=(400, 2)), rng.uniform(0, 2, 400), examples=400, seed=1)
    shares = spread_causes(many, resamples=20).shares
    part = {name: shares[name].estimate / (1 - shares["noise"].estimate) for name in ("prior", "skill")}
    covered: list[bool] = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        of = known_values(rng.normal(size=(15, 2)), rng.uniform(0, 2, 15), examples=60, seed=seed)
        found = spread_causes(of, resamples=100)
        left = 1 - found.shares["noise"].estimate
        covered += [contains(found.other_wordings[name], part[name] * left) for name in part]
    assert np.mean(covered) > 0.88


def test_the_test_of_equal_accuracies_is_the_corrected_f_test() -> None:
    rng = np.random.default_rng(0)
    scored = (rng.random((4, 30)) < np.array([0.3, 0.5, 0.5, 0.8])[:, None]).astype(float)
    # By hand, from the covariance matrix of the wordings.
    covariance = np.cov(scored)
    centring = np.eye(4) - 1 / 4
    centred = centring @ covariance @ centring
    epsilon = np.trace(centred) ** 2 / (3 * np.trace(centred @ centred))
    f = 30 * np.var(scored.mean(axis=1), ddof=1) / (np.trace(centred) / 3)
    assert difference_p_value(scored) == pytest.approx(stats.f.sf(f, 3 * epsilon, 3 * 29 * epsilon))
    assert difference_p_value(np.tile(scored[0], (4, 1))) == 1


def test_accuracies_are_those_of_the_run_and_the_same_seed_gives_the_same_numbers() -> None:
    of = only_priors(3, 40, 3)
    found, again = (spread_causes(of, seed=5, resamples=50) for _ in range(2))
    assert found.accuracy.tolist() == scores(of.values, of).mean(axis=1).tolist()
    assert found.std == pytest.approx(np.std(found.accuracy, ddof=1))
    assert found.shares == again.shares
    assert found.majority == pytest.approx(np.bincount(of.targets).max() / 40)
    assert found.classes == ("label 0", "label 1", "label 2")


def test_without_their_priors_wordings_of_equal_skill_have_nearly_equal_accuracy() -> None:
    of = only_priors(0, 1000, 2)
    found = spread_causes(of, resamples=20)
    assert np.std(found.without_prior) < 0.3 * np.std(found.accuracy)
    assert found.skilled == WORDINGS


def test_draws_of_demonstrations_have_a_share() -> None:
    rng = np.random.default_rng(2)
    of = known_values(rng.normal(size=(6, 2)) * 0.3, np.full(6, 1.0), examples=200, draws=rng.normal(size=(6, 3, 2)))
    found = spread_causes(of, resamples=50)
    assert found.shares["draws"].estimate > 0.2
    assert sum(estimates(found).values()) == pytest.approx(1)
    assert len(found.accuracy) == len(found.wordings) == 6


def test_few_wordings_or_examples_have_a_reason() -> None:
    of = only_priors(0, 20, 2)
    assert why_not(of) == ""
    assert why_not(of.take([0, 1])) == "it needs 3 wordings or more, and the task has 2"
    assert "10 examples or more" in why_not(of.take_examples(range(9)))


def test_wordings_that_all_give_one_answer_have_no_spread() -> None:
    of = known_values(np.tile([50.0, 0.0], (5, 1)), np.zeros(5), examples=20)
    found = spread_causes(of, resamples=20)
    assert found.std == 0
    assert not found.is_beyond_chance
    assert all(np.isfinite(share.estimate) for share in found.shares.values())


def test_letters_and_texts_can_be_wordings_of_one_task() -> None:
    of = only_priors(0, 300, 2)
    classes = np.array(of.classes)
    order = np.random.default_rng(0).integers(0, 2, 300)
    classes[5:] = np.stack([order, 1 - order], axis=1)
    names = tuple(("A", "B") if row >= 5 else names for row, names in enumerate(of.class_names))
    found = spread_causes(replace(of, classes=classes, class_names=names), resamples=50)
    assert found.classes == ()
    assert sum(estimates(found).values()) == pytest.approx(1)
