"""Biases of classes, against plain loops and against biases that were put in."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

from phraseproof.calibration.bias import batch_bias, class_shares, matching_bias, without_bias


def sample(seed: int, examples: int = 40, options: int = 3, scale: float = 1.0) -> np.ndarray:
    return log_softmax(np.random.default_rng(seed).normal(size=(examples, options)) * scale, axis=-1)


def fixed(examples: int, options: int) -> np.ndarray:
    return np.broadcast_to(np.arange(options), (examples, options))


@given(st.integers(0, 1000), st.integers(2, 5), st.integers(2, 30))
def test_batch_calibration_divides_by_the_mean_probability_of_a_class(seed: int, options: int, examples: int) -> None:
    # The formula of the paper, by hand: log p(y|x) - log of the mean over x' of p(y|x').
    logprobs = sample(seed, examples, options)
    mean = [math.fsum(math.exp(row[c]) for row in logprobs) / examples for c in range(options)]
    expected = [[row[c] - math.log(mean[c]) for c in range(options)] for row in logprobs]
    classes = fixed(examples, options)
    found = without_bias(logprobs, classes, batch_bias(logprobs, classes, options))
    assert np.allclose(found, log_softmax(expected, axis=-1), atol=1e-12)


@pytest.mark.parametrize("scale", [0.1, 1.0, 20.0])
def test_matching_finds_the_bias_that_was_put_in_also_for_a_model_that_is_sure_of_its_answers(scale: float) -> None:
    rng = np.random.default_rng(3)
    # Every example three times with its options rotated: without a bias, each class has the same share.
    base = rng.normal(size=(50, 3)) * scale
    balanced = np.concatenate([np.roll(base, turn, axis=1) for turn in range(3)])
    put_in = np.array([1.5, -0.5, -1.0]) * scale
    found = matching_bias(log_softmax(balanced + put_in, axis=-1), fixed(150, 3), 3)
    assert np.allclose(found, put_in, atol=1e-5 * max(1.0, scale))


def test_classes_are_texts_whose_place_differs_between_examples() -> None:
    logprobs = np.log(np.array([[0.9, 0.1], [0.3, 0.7]]))
    classes = np.array([[0, 1], [1, 0]])
    assert class_shares(logprobs, classes, 2) == pytest.approx([0.8, 0.2])
    after = without_bias(logprobs, classes, np.array([0.0, math.log(2)]))
    assert np.exp(after[0]) == pytest.approx([0.9 / 0.95, 0.05 / 0.95])
    assert np.exp(after[1]) == pytest.approx([0.15 / 0.85, 0.7 / 0.85])


def test_an_example_with_fewer_options_counts_for_its_own_classes_only() -> None:
    with np.errstate(divide="ignore"):
        logprobs = np.log(np.array([[0.5, 0.3, 0.2], [0.6, 0.4, 0.0]]))
    classes = np.array([[0, 1, 2], [0, 1, -1]])
    assert class_shares(logprobs, classes, 3) == pytest.approx([0.55, 0.35, 0.2])
    bias = matching_bias(logprobs, classes, 3)
    shares = class_shares(without_bias(logprobs, classes, bias), classes, 3)
    assert shares == pytest.approx([(1 / 3 + 1 / 2) / 2, (1 / 3 + 1 / 2) / 2, 1 / 3], abs=1e-6)
    assert without_bias(logprobs, classes, bias)[1, 2] == -np.inf


def test_matching_reaches_given_shares_and_leading_axes_are_independent() -> None:
    both = np.stack([sample(1), sample(2)])
    wanted = np.array([0.6, 0.3, 0.1])
    classes = fixed(40, 3)
    bias = matching_bias(both, classes, 3, wanted)
    assert np.allclose(class_shares(without_bias(both, classes, bias), classes, 3), wanted, atol=1e-7)
    assert np.allclose(bias[1], matching_bias(both[1], classes, 3, wanted), atol=1e-7)


def test_a_class_that_the_model_rules_out_stays_finite() -> None:
    with np.errstate(divide="ignore"):
        logprobs = np.log(np.array([[1.0, 0.0], [1.0, 0.0]]))
    for bias in (batch_bias(logprobs, fixed(2, 2), 2), matching_bias(logprobs, fixed(2, 2), 2)):
        assert np.isfinite(bias).all()
        assert not np.isnan(without_bias(logprobs, fixed(2, 2), bias)).any()


@pytest.mark.parametrize("find", [batch_bias, matching_bias])
def test_an_example_with_weight_0_is_left_out(find: Callable[..., np.ndarray]) -> None:
    logprobs = np.stack([sample(1), sample(2)])
    weights = np.ones((2, 40))
    weights[0, ::2] = 0
    found = find(logprobs, fixed(40, 3), 3, weights=weights)
    assert found[0] == pytest.approx(find(logprobs[0, 1::2], fixed(20, 3), 3), abs=1e-8)
    assert found[1] == pytest.approx(find(logprobs[1], fixed(40, 3), 3), abs=1e-8)


def test_a_start_changes_nothing_but_the_number_of_steps() -> None:
    logprobs = sample(1, scale=5.0)
    expected = matching_bias(logprobs, fixed(40, 3), 3)
    found = matching_bias(logprobs, fixed(40, 3), 3, start=np.array([8.0, -20.0, 1.0]))
    assert found == pytest.approx(expected, abs=1e-7)


def test_a_class_that_is_ruled_out_leaves_the_others_their_shares() -> None:
    logprobs = np.concatenate([sample(4, options=2), np.full((40, 1), -80.0)], axis=1)
    bias = matching_bias(logprobs, fixed(40, 3), 3)
    expected = matching_bias(logprobs[:, :2], fixed(40, 2), 2)
    assert bias[0] - bias[1] == pytest.approx(expected[0] - expected[1], abs=1e-7)


@pytest.mark.parametrize(
    "start", [None, [0.0, 0.0, 0.0], [60.0, 60.0, 5.0], [700.0, 700.0, 700.0], [-800.0, -790.0, 0.0]]
)
def test_a_class_that_every_example_rules_out_is_only_known_to_be_rare(start: list[float] | None) -> None:
    # By hand: classes 0 and 1 are to share what is wanted, so both are divided by their own probability. Of class 2
    # no more is known than that its probability is below 1e-12, by which it is divided.
    logprobs = np.log(np.tile([1 - 1e-10, 1e-10, 1e-14], (16, 1)))
    bias = matching_bias(logprobs, fixed(16, 3), 3, start=None if start is None else np.array(start))
    found = np.exp(without_bias(logprobs, fixed(16, 3), bias))
    assert found == pytest.approx(np.tile(np.array([1, 1, 0.01]) / 2.01, (16, 1)), rel=1e-6)
    # As batch calibration, which needs no steps, has it.
    divided = np.exp(without_bias(logprobs, fixed(16, 3), batch_bias(logprobs, fixed(16, 3), 3)))
    assert found == pytest.approx(divided, rel=1e-6)


@given(st.integers(0, 1000), st.floats(-500, 500), st.sampled_from([1.0, 5.0, 30.0]))
def test_what_is_added_to_a_whole_start_changes_nothing_where_a_class_is_ruled_out(
    seed: int, offset: float, scale: float
) -> None:
    logprobs = np.concatenate([sample(seed, scale=scale), np.full((40, 1), -40.0)], axis=1)
    expected = matching_bias(logprobs, fixed(40, 4), 4)
    found = matching_bias(logprobs, fixed(40, 4), 4, start=expected + offset)
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("find", [batch_bias, matching_bias])
def test_a_class_that_no_example_has_is_neither_preferred_nor_avoided(find: Callable[..., np.ndarray]) -> None:
    # Only the example that is corrected has a third option, as where its fold has all such examples.
    logprobs = np.full((41, 3), -np.inf)
    logprobs[:40, :2] = sample(5, options=2)
    logprobs[40] = np.log([0.5, 0.3, 0.2])
    classes = np.tile([0, 1, -1], (41, 1))
    classes[40] = [0, 1, 2]
    weights = np.ones(41)
    weights[40] = 0
    found = np.exp(without_bias(logprobs, classes, find(logprobs, classes, 3, weights=weights)))[40]
    of_two = find(logprobs[:40, :2], classes[:40, :2], 2)
    # By hand: what the biases of the two others are on average, 0, is that of the third.
    divided = np.array([0.5 / np.exp(of_two[0]), 0.3 / np.exp(of_two[1]), 0.2])
    assert found == pytest.approx(divided / divided.sum(), rel=1e-6)
