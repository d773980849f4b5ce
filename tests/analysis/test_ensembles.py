"""Ensembles and the choice of their members, compared with plain loops and with scipy."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.special import log_softmax
from scipy.stats import gmean

from phraseproof.analysis.ensembles import HOWS, Ballots, How, choose_members, combine
from phraseproof.analysis.grids import Floats
from phraseproof.analysis.option_values import scores
from support.option_arrays import option_values

NEVER = -np.inf


def random_logprobs(seed: int, members: int = 5, examples: int = 40, options: int = 4) -> Floats:
    values = np.random.default_rng(seed).normal(size=(members, examples, options)) * 2
    values[:, ::3, -1] = NEVER
    return np.asarray(log_softmax(values, axis=-1))


def test_mean_probability_is_the_arithmetic_and_mean_logprob_the_geometric_mean() -> None:
    given = random_logprobs(0)
    assert np.exp(combine(given, "mean_probability")) == pytest.approx(np.exp(given).mean(axis=0))
    geometric = np.nan_to_num(gmean(np.exp(given), axis=0))
    assert np.exp(combine(given, "mean_logprob")) == pytest.approx(geometric / geometric.sum(axis=1, keepdims=True))


def test_majority_counts_votes_and_breaks_ties_by_the_mean_probability() -> None:
    given = random_logprobs(1, members=4)
    together = combine(given, "majority")
    assert np.exp(together).sum(axis=1) == pytest.approx(1)
    ties = 0
    for example in range(given.shape[1]):
        votes = Counter(int(row.argmax()) for row in given[:, example])
        most = max(votes.values())
        first = [option for option, count in votes.items() if count == most]
        ties += len(first) > 1
        expected = max(first, key=lambda option: np.exp(given[:, example, option]).mean())
        assert together[example].argmax() == expected
        share = (votes[expected] + np.exp(given[:, example, expected]).mean() / 2) / 4.5
        assert np.exp(together[example, expected]) == pytest.approx(share)
    assert ties > 3


@pytest.mark.parametrize("how", HOWS)
def test_one_member_chooses_what_it_chooses_alone_and_options_that_do_not_exist_are_never_chosen(how: How) -> None:
    given = random_logprobs(2)
    assert combine(given[:1], how).argmax(axis=1).tolist() == given[0].argmax(axis=1).tolist()
    assert np.isneginf(combine(given, how)[::3, -1]).all()
    assert np.isfinite(combine(given, how)[1::3]).all()


@pytest.mark.parametrize("how", HOWS)
def test_a_member_that_did_not_read_an_example_abstains_there(how: How) -> None:
    given = random_logprobs(3, members=3)
    expected = combine(given[:2], how)
    given[2] = NEVER
    assert np.exp(combine(given, how)) == pytest.approx(np.exp(expected))
    assert combine(given, how).argmax(axis=1).tolist() == expected.argmax(axis=1).tolist()
    of = option_values(random_logprobs(3, members=3))
    nothing = np.full_like(given, NEVER)
    assert np.isneginf(combine(nothing, how)).all()
    assert Ballots.of(nothing, how).scores([0, 1, 2], of.credits).tolist() == [0.0] * len(of.examples)


def test_an_option_that_one_member_rules_out_has_no_geometric_mean_and_the_fewest_rule_out_the_choice() -> None:
    given = np.log(np.array([[[0.9, 0.1, 1e-300]], [[1e-300, 0.2, 0.8]], [[1e-300, 0.2, 0.8]]]))
    given[given < -600] = NEVER
    assert combine(given, "mean_logprob").argmax() == 1
    veto_all = np.array([[[0.0, NEVER, NEVER]], [[NEVER, 0.0, NEVER]], [[NEVER, NEVER, 0.0]], [[NEVER, 0.0, NEVER]]])
    assert combine(veto_all, "mean_logprob").argmax() == 1


@pytest.mark.parametrize("how", HOWS)
def test_scores_of_ballots_are_the_scores_of_the_combined_values(how: How) -> None:
    given = random_logprobs(4, members=6)
    of = option_values(given, np.random.default_rng(0).integers(0, 3, size=given.shape[1]))
    members = [4, 1, 5]
    together = combine(given[members], how)
    ballots = Ballots.of(given, how)
    assert ballots.scores(members, of.credits).tolist() == scores(together, of).tolist()
    assert np.exp(ballots.logprobs(members)) == pytest.approx(np.exp(together))


@pytest.mark.parametrize("how", HOWS)
def test_best_orders_by_accuracy_and_greedy_adds_what_raises_the_ensembles_accuracy_most(how: How) -> None:
    given = random_logprobs(5, members=7, examples=60)
    of = option_values(given, np.random.default_rng(1).integers(0, 3, size=60))

    def key(members: list[int]) -> tuple[float, float]:
        together = combine(given[members], how)
        right = np.take_along_axis(together, of.targets[:, None], axis=1)
        return -scores(together, of).mean(), -right.mean()

    best = choose_members(of, 7, how=how, by="best")
    assert best.tolist() == sorted(range(7), key=lambda row: key([row])[0])
    expected: list[int] = []
    for _ in range(4):
        rest = [row for row in range(7) if row not in expected]
        expected.append(min(rest, key=lambda row: key([*expected, row])))
    assert choose_members(of, 4, how=how, by="greedy").tolist() == expected


def test_random_members_depend_on_the_seed_only_and_calibrated_values_replace_those_of_the_run() -> None:
    given = random_logprobs(6)
    of = option_values(given)
    order = choose_members(of, 3, by="random", seed=3).tolist()
    assert len(set(order)) == 3
    assert order == choose_members(option_values(given[:, ::-1]), 3, by="random", seed=3).tolist()
    worst_first = given[::-1].copy()
    assert choose_members(of, 1, by="best", logprobs=worst_first) == 4 - choose_members(of, 1, by="best")
