"""Cross-fitted corrections: against loops over folds, and that no example's own values change its correction."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from phraseproof.analysis.calibrated import Extra, Probes, biases_of, cross_fitted, fitted_on, fold_of_examples
from phraseproof.analysis.option_values import OptionValues
from phraseproof.calibration.methods import METHODS
from phraseproof.errors import NotEnoughDataError, UsageError
from support.option_values import values_of

FITTED = ("batch", "prior-matching")


def sample(seed: int = 0, rows: int = 3, examples: int = 12, options: int = 3) -> OptionValues:
    rng = np.random.default_rng(seed)
    prior = rng.normal(size=(rows, 1, options)) * 2
    return values_of(log_softmax(rng.normal(size=(rows, examples, options)) + prior, axis=-1) - 4)


def test_folds_have_equal_sizes_and_do_not_depend_on_the_order_of_the_examples() -> None:
    names = [f"e{n}" for n in range(23)]
    fold = fold_of_examples("t", names, 5)
    assert sorted(np.bincount(fold)) == [4, 4, 5, 5, 5]
    assert fold_of_examples("t", names[::-1], 5).tolist() == fold[::-1].tolist()
    assert fold_of_examples("t", names, 5, seed=1).tolist() != fold.tolist()


def test_batch_calibration_is_the_formula_of_the_paper_with_the_mean_over_the_other_folds() -> None:
    values = sample()
    fold = fold_of_examples(values.task, values.examples, 4)
    found = cross_fitted(values, "batch", folds=4)
    for row in range(3):
        for place in range(12):
            others = [n for n in range(12) if fold[n] != fold[place]]
            shares = [[math.exp(v) for v in log_softmax(values.values[row, n])] for n in others]
            mean = [math.fsum(share[c] for share in shares) / len(others) for c in range(3)]
            own = [math.exp(v) for v in log_softmax(values.values[row, place])]
            expected = [own[c] / mean[c] for c in range(3)]
            expected = [value / math.fsum(expected) for value in expected]
            assert np.exp(found[row, place]) == pytest.approx(expected)


def test_prior_matching_makes_the_classes_of_the_fitted_examples_equally_probable() -> None:
    values = sample(examples=40)
    found = fitted_on(values, values, "prior-matching")
    assert np.exp(found).mean(axis=1) == pytest.approx(1 / 3)
    assert np.exp(cross_fitted(values, "prior-matching")).mean(axis=1) == pytest.approx(1 / 3, abs=0.05)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(FITTED), st.integers(0, 100), st.integers(0, 11), st.floats(-30, 0))
def test_the_values_of_an_example_never_change_its_own_correction(
    method: str, seed: int, place: int, value: float
) -> None:
    values = sample(seed)
    other = values_of(values.values.copy())
    other.values[:, place, 1] = value
    before, after = (cross_fitted(each, method, folds=4) for each in (values, other))
    # The correction is a shift of each option's log-probability: it is compared by the differences of options.
    shift = [np.diff(found[:, place] - each.values[:, place]) for found, each in ((before, values), (after, other))]
    assert np.allclose(shift[0], shift[1], atol=1e-6)
    assert not np.allclose(before, after)  # other examples do see it


def test_lengths_divide_log_probabilities() -> None:
    values = values_of(np.array([[[-6.0, -2.0], [-3.0, -4.0]]]))
    lengths = np.array([[[3.0, 1.0], [1.0, 4.0]]])
    found = cross_fitted(values, "per-token", extra=Extra(lengths=lengths))
    assert found == pytest.approx(log_softmax(np.array([[[-2.0, -2.0], [-3.0, -1.0]]]), axis=-1))


def test_pmi_subtracts_the_log_probability_without_the_example_option_by_option() -> None:
    values = values_of(np.log(np.array([[[0.2, 0.1], [0.3, 0.3]]])))
    premises = np.log(np.array([[[0.4, 0.1], [0.1, 0.3]]]))
    found = cross_fitted(values, "pmi-dc", extra=Extra(premises=premises))
    # 0.2 / 0.4 to 0.1 / 0.1, and 0.3 / 0.1 to 0.3 / 0.3.
    assert np.exp(found) == pytest.approx(np.array([[[1 / 3, 2 / 3], [3 / 4, 1 / 4]]]))


def test_contextual_calibration_divides_by_the_mean_over_the_prompts_without_content() -> None:
    values = values_of(np.log(np.array([[[0.8, 0.2], [0.6, 0.4]]])))
    blank = np.log(np.array([[[0.7, 0.3], [0.9, 0.1]]]))
    found = cross_fitted(values, "contextual", extra=Extra(probes=Probes(blank, np.array([-1, -1]), np.array([True]))))
    # Mean prior 0.8 and 0.2: the weights of the paper's diagonal matrix are 1 / 0.8 and 1 / 0.2.
    assert np.exp(found[0, 0]) == pytest.approx([0.5, 0.5])
    assert np.exp(found[0, 1]) == pytest.approx([0.75 / 2.75, 2 / 2.75])


def test_a_prior_of_letters_that_an_example_shows_does_not_correct_it() -> None:
    values = sample(rows=1, examples=6)
    fold = fold_of_examples(values.task, values.examples, 3)
    priors = log_softmax(np.random.default_rng(5).normal(size=(1, 2, 3)), axis=-1)
    probes = Probes(priors, np.array([0, 4]), np.array([True]))
    found = cross_fitted(values, "pride", folds=3, extra=Extra(probes=probes))
    for place in range(6):
        seen = [n for n, example in enumerate((0, 4)) if fold[example] != fold[place]]
        prior = np.exp(priors[0, seen]).mean(axis=0) if seen else np.ones(3)
        expected = log_softmax(values.logprobs[0, place] - np.log(prior))
        assert found[0, place] == pytest.approx(expected)


def test_rows_that_a_method_does_not_apply_to_stay_as_they_are() -> None:
    values = sample(rows=2)
    blank = log_softmax(np.random.default_rng(5).normal(size=(2, 1, 3)), axis=-1)
    probes = Probes(blank, np.array([-1]), np.array([True, False]))
    found = cross_fitted(values, "contextual", extra=Extra(probes=probes))
    assert np.array_equal(found[1], values.logprobs[1])
    assert not np.allclose(found[0], values.logprobs[0])


def test_an_unread_example_stays_unread_and_shows_no_prior() -> None:
    values = sample(rows=1, examples=9)
    without = values_of(values.values[:, :8])
    values.values[:, 8] = -np.inf
    assert np.isneginf(cross_fitted(values, "batch")[0, 8]).all()
    for method in FITTED:
        assert biases_of(values, method)[0] == pytest.approx(biases_of(without, method)[0], abs=1e-7)


def test_rows_with_other_classes_are_corrected_by_themselves() -> None:
    values = sample(rows=2)
    turned = values_of(values.values.copy())
    turned.classes[1, ::2] = [2, 0, 1]
    found = cross_fitted(turned, "batch")
    assert np.array_equal(found[0], cross_fitted(values, "batch")[0])
    assert not np.allclose(found[1], cross_fitted(values, "batch")[1])


def test_options_are_matched_by_name_where_another_sample_has_them_in_another_order() -> None:
    values = sample(rows=1)
    other = values_of(values.values[..., [2, 0, 1]].copy(), names=("c", "a", "b"))
    assert fitted_on(values, other, "batch")[..., [1, 2, 0]] == pytest.approx(fitted_on(values, values, "batch"))
    with pytest.raises(UsageError, match="the option 'x' is not among those"):
        fitted_on(values, values_of(values.values, names=("a", "b", "x")), "batch")


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="needs two examples"):
        cross_fitted(sample(examples=1), "batch")
    with pytest.raises(UsageError, match="no method of calibration is called 'bacth'"):
        cross_fitted(sample(), "bacth")
    with pytest.raises(UsageError, match="too few folds"):
        cross_fitted(sample(), "batch", folds=1)
    for method in set(METHODS) - set(FITTED):
        with pytest.raises(UsageError, match=f"the method {method} needs"):
            cross_fitted(sample(), method)
    with pytest.raises(UsageError, match="has no bias of classes"):
        biases_of(sample(), "per-byte")


@pytest.mark.parametrize("method", FITTED)
def test_an_option_that_no_example_of_the_other_folds_has_is_not_chosen_for_that(method: str) -> None:
    # Ten examples have two options and one has three, whose third class its own fold alone shows.
    rng = np.random.default_rng(7)
    rows = np.full((1, 11, 3), -np.inf)
    rows[0, :10, :2] = log_softmax(rng.normal(size=(10, 2)), axis=-1)
    rows[0, 10] = np.log([0.3, 0.65, 0.05])
    values = values_of(rows)
    values.has_option[:10, 2] = False
    values.classes[:, :10, 2] = -1
    found = np.exp(cross_fitted(values, method))
    assert found[0, 10].argmax() != 2
    assert found[0, 10].sum() == pytest.approx(1)
