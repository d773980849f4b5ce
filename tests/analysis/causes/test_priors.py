"""Priors, compared with those that were put in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from phraseproof.analysis.causes.priors import (
    answer_forms,
    evidence_noise,
    finite_logprobs,
    fitted_examples,
    noise_scales,
    option_priors,
    prior_influences,
    row_priors,
)
from phraseproof.analysis.grids import Floats
from phraseproof.analysis.option_values import OptionValues
from support.known_causes import known_values


def priors_of(of: OptionValues) -> Floats:
    forms = answer_forms(of)
    (found,) = row_priors(finite_logprobs(of), of.credits, forms, np.arange(len(of.examples)))
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
    sizes = noise_scales(evidence_noise(of.values, of.has_option, of.credits), of.has_option)
    assert sizes[1] == pytest.approx(sizes[0], rel=0.05)
    again = noise_scales(evidence_noise(7 * of.values, of.has_option, of.credits), of.has_option)
    assert again == pytest.approx(7 * sizes)
    by_hand = np.mean(np.abs(of.values[0] - of.values[0].mean(axis=1, keepdims=True)))
    assert sizes[0] == pytest.approx(by_hand, rel=0.01)


@pytest.mark.parametrize(
    ("classes", "examples", "labels"), [(2, 40, None), (2, 200, (0.8, 0.2)), (4, 100, (0.7, 0.1, 0.1, 0.1))]
)
def test_by_their_influences_priors_follow_resampled_examples_as_full_fits_do(
    classes: int, examples: int, labels: tuple[float, ...] | None
) -> None:
    rng = np.random.default_rng(1)
    of = known_values(rng.normal(size=(5, classes)), [0, 0.6, 1.2, 2, 3], examples=examples, labels=labels, seed=3)
    logprobs, forms, every = finite_logprobs(of), answer_forms(of), np.arange(examples)
    fitted = row_priors(logprobs, of.credits, forms, every)
    (influence,) = prior_influences(logprobs, of.credits, forms, every, fitted, every, examples)
    assert np.allclose(influence.sum(axis=0), 0, atol=0.02)
    steps, fits = [], []
    for _ in range(100):
        drawn = rng.integers(0, examples, examples)
        counts = np.bincount(drawn, minlength=examples)
        steps.append(np.einsum("e,erk->rk", counts - 1, influence))
        fits.append(row_priors(logprobs, of.credits, forms, drawn)[0] - fitted[0])
    assert np.std(steps, axis=0) == pytest.approx(np.std(fits, axis=0), rel=0.15)
    for row in range(5):
        assert np.corrcoef(np.ravel([each[row] for each in steps]), np.ravel([each[row] for each in fits]))[0, 1] > 0.9


def test_influences_of_blocks_are_sums_of_those_of_their_examples_whatever_the_order_of_options() -> None:
    of = known_values(np.array([[1.0, 0.0, -1.0], [0.0, 0.5, -0.5]]), [0.5, 1.5], examples=30)
    logprobs, forms, every = finite_logprobs(of), answer_forms(of), np.arange(30)
    fitted = row_priors(logprobs, of.credits, forms, every)
    (single,) = prior_influences(logprobs, of.credits, forms, every, fitted, every, 30)
    (blocks,) = prior_influences(logprobs, of.credits, forms, every, fitted, every // 10, 4)
    assert np.allclose(blocks[:3], single.reshape(3, 10, 2, 3).sum(axis=1))
    assert np.allclose(blocks[3], 0)
    # The same example of 15, with its options turned around.
    turned = np.where(np.arange(30) % 2, 1, -1)
    classes = np.stack([np.arange(3)[::step] for step in turned])
    shown = np.take_along_axis(logprobs, np.broadcast_to(classes, logprobs.shape), axis=2)
    credit = np.take_along_axis(of.credits, classes, axis=1)
    (again,) = prior_influences(shown, credit, [forms[0]._replace(classes=classes)], every, fitted, every, 30)
    assert np.allclose(again, single, atol=0.02)


def test_a_class_that_a_row_rules_out_everywhere_keeps_its_prior() -> None:
    of = known_values(np.array([[0.0, 0.3, -80.0]] * 2), [0.5, 1.5], examples=30)
    logprobs, forms, every = finite_logprobs(of), answer_forms(of), np.arange(30)
    fitted = row_priors(logprobs, of.credits, forms, every)
    (influence,) = prior_influences(logprobs, of.credits, forms, every, fitted, every, 30)
    difference = influence[:, :, 0] - influence[:, :, 1]
    assert np.isfinite(influence).all()
    assert 0.01 < np.abs(difference).max() < 1
    assert np.abs(influence).max() < 1


def test_priors_of_many_examples_are_fitted_to_some_of_them() -> None:
    chosen = fitted_examples(np.arange(5000), np.random.default_rng(0))
    assert len(set(chosen.tolist())) == len(chosen) == 1000
    assert fitted_examples(np.arange(50), np.random.default_rng(0)).tolist() == list(range(50))
