"""Priors, compared with those that were put in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from phraseproof.analysis.causes.priors import answer_forms, evidence_scales, finite_logprobs, option_priors, row_priors
from phraseproof.analysis.grids import Floats
from phraseproof.analysis.option_values import OptionValues
from support.known_causes import known_values


def priors_of(of: OptionValues) -> Floats:
    forms = answer_forms(of)
    (found,) = row_priors(finite_logprobs(of), of.credits, forms, np.arange(len(of.examples)), np.random.default_rng(0))
    return found


@pytest.mark.parametrize("skill", [0.0, 1.5, 4.0])
@pytest.mark.parametrize("labels", [None, (0.8, 0.1, 0.1)])
def test_the_prior_that_was_put_in_is_found_with_and_without_skill_and_balance(
    skill: float, labels: tuple[float, ...] | None
) -> None:
    put_in = np.array([[1.0, 0.0, -1.0], [-0.5, -0.5, 1.0]])
    found = priors_of(known_values(put_in, [skill, skill], examples=4000, labels=labels))
    assert np.allclose(found, put_in, atol=0.15)


def test_wordings_with_other_classes_are_other_answer_forms_and_priors_go_to_their_options() -> None:
    of = known_values(np.zeros((3, 2)), [0.0] * 3, examples=20)
    classes = np.array(of.classes)
    classes[1, ::2] = [1, 0]
    of = replace(of, classes=classes, class_names=(("a", "b"), ("x", "y"), ("a", "b")))
    forms = answer_forms(of)
    assert [form.rows.tolist() for form in forms] == [[0, 2], [1]]
    added = option_priors([np.array([[1.0, -1.0], [2.0, -2.0]]), np.array([[0.5, -0.5]])], forms, of.values.shape)
    assert added[0, 3].tolist() == [1, -1]
    assert added[1, 0].tolist() == [-0.5, 0.5]
    assert added[1, 1].tolist() == [0.5, -0.5]


def test_an_option_that_does_not_exist_stays_so_and_one_that_is_ruled_out_is_finite() -> None:
    of = known_values(np.zeros((1, 3)), [0.0], examples=4)
    values, has_option = np.array(of.values), np.array(of.has_option)
    values[0, 0, 1], values[0, 1, 2], has_option[1, 2] = -np.inf, -np.inf, False
    found = finite_logprobs(replace(of, values=values, has_option=has_option))
    assert np.isfinite(found[0, 0]).all()
    assert np.isneginf(found[0, 1, 2])


def test_the_noise_is_what_the_advantage_of_right_options_leaves_and_is_in_the_unit_of_the_values() -> None:
    of = known_values(np.zeros((2, 3)), [0.0, 3.0], examples=3000)
    # Values in the same unit have the same noise, whatever the skill.
    sizes = evidence_scales(of.values, of.has_option, of.credits)
    assert sizes[1] == pytest.approx(sizes[0], rel=0.05)
    assert evidence_scales(7 * of.values, of.has_option, of.credits) == pytest.approx(7 * sizes)
    by_hand = np.mean(np.abs(of.values[0] - of.values[0].mean(axis=1, keepdims=True)))
    assert sizes[0] == pytest.approx(by_hand, rel=0.01)
