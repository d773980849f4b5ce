"""The registry of methods, and the corrections that need no fit, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from phraseproof.calibration.methods import METHODS, calibration_method, letter_priors, per_length, without_premise
from phraseproof.errors import UsageError


def test_every_method_is_found_under_its_name() -> None:
    assert {name: calibration_method(name).name for name in METHODS} == {name: name for name in METHODS}
    with pytest.raises(UsageError, match="expected one of: batch"):
        calibration_method("none")


def test_lengths_and_premises_are_applied_option_by_option() -> None:
    assert per_length(np.array([-6.0, -2.0]), np.array([3.0, 0.0])).tolist() == [-2.0, -2.0]
    found = without_premise(np.log([0.2, 0.3, 0.1]), np.array([math.log(0.4), math.log(0.1), -math.inf]))
    assert np.exp(found) == pytest.approx([0.5, 3.0, 0.1])


def test_the_prior_of_letters_is_found_whatever_the_contents_are() -> None:
    # By hand: log P(letter, content) = prior of the letter + merit of the content, normalised under each permutation.
    prior, merit = np.array([0.7, 0.2, 0.1]), np.array([3.0, -1.0, 0.5])
    rows = [np.log(prior) + np.roll(merit, turn) for turn in range(3)]
    normalised = np.stack([row - math.log(math.fsum(math.exp(value) for value in row)) for row in rows])
    assert np.exp(letter_priors(normalised)) == pytest.approx(prior)
    assert np.exp(letter_priors(np.stack([normalised, normalised]))) == pytest.approx(np.stack([prior, prior]))


def test_the_prior_of_letters_on_two_letters_by_hand() -> None:
    # Equation 5: softmax of the mean log-probability over both orders. sqrt(.9 * .6) to sqrt(.1 * .4).
    found = np.exp(letter_priors(np.log(np.array([[0.9, 0.1], [0.6, 0.4]]))))
    first, second = math.sqrt(0.54), math.sqrt(0.04)
    assert found == pytest.approx([first / (first + second), second / (first + second)])


def test_a_letter_that_is_ruled_out_once_keeps_a_finite_prior() -> None:
    with np.errstate(divide="ignore"):
        found = letter_priors(np.log(np.array([[1.0, 0.0], [0.5, 0.5]])))
    assert np.isfinite(found).all()
