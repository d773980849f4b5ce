"""The test of skill: against all permutations, and its errors under no skill."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from phraseproof.analysis.causes.skill import skill_p_values
from phraseproof.analysis.option_values import log_shares
from support.known_causes import known_values


def test_mean_and_variance_are_those_over_all_assignments_of_right_answers() -> None:
    of = known_values(np.zeros((1, 3)), [1.0], examples=6, seed=4)
    logprobs = log_shares(of.values[0], of.has_option)
    every = [float(np.sum(logprobs * of.credits[list(order)])) for order in permutations(range(6))]
    expected = stats.norm.sf((every[0] - np.mean(every)) / np.std(every))
    assert skill_p_values(of, np.array([0])) == pytest.approx([expected])


def test_a_prior_changes_nothing_but_rounding() -> None:
    of = known_values(np.zeros((2, 3)), [0.4, 0.0], examples=50)
    # Far from saturation, so that log-probabilities differ from values by a number for each example only.
    moved = replace(of, values=of.values + np.array([2.0, 0.0, -1.0]))
    rows = np.arange(2)
    assert np.allclose(skill_p_values(of, rows), skill_p_values(moved, rows), atol=1e-9)


@pytest.mark.parametrize("labels", [None, (0.9, 0.1)])
def test_without_skill_one_in_twenty_is_significant_and_with_skill_nearly_all(labels: tuple[float, ...] | None) -> None:
    significant: list[list[bool]] = []
    for seed in range(100):
        priors = np.random.default_rng(seed).normal(size=(10, 2))
        skill = np.repeat([0.0, 2.0], 5)
        of = known_values(priors, skill, examples=60, labels=labels, seed=seed)
        significant.append((skill_p_values(of, np.arange(10)) < 0.05).tolist())
    rates = np.mean(significant, axis=0)
    assert rates[:5].mean() == pytest.approx(0.05, abs=0.025)
    assert rates[5:].mean() > 0.9


def test_examples_with_fewer_options_are_compared_with_each_other_only() -> None:
    of = known_values(np.array([[0.0, 0.0, 0.0]]), [0.0], examples=40)
    has_option = np.array(of.has_option)
    has_option[20:, 2] = False
    credit = np.zeros_like(of.credits)
    credit[np.arange(40), [*[0, 1, 2, 0] * 5, *[0, 1] * 10]] = 1
    classes = np.where(has_option, of.classes, -1)
    # A high third option where it exists would look like skill if examples were mixed.
    values = np.where(has_option, of.values + np.array([0, 0, 5.0]), -np.inf)
    of = replace(of, values=values, has_option=has_option, credits=credit, classes=classes)
    halves = [of.take_examples(list(part)) for part in (range(20), range(20, 40))]
    z = [stats.norm.isf(skill_p_values(half, np.array([0]))[0]) for half in halves]
    together = stats.norm.isf(skill_p_values(of, np.array([0]))[0])
    assert min(z) - 0.5 <= together <= abs(z[0]) + abs(z[1]) + 0.5
    assert abs(together) < 3
