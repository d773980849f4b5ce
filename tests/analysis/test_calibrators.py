"""Calibrators from arrays: all examples, all demonstration seeds, and what cannot be saved."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax

from phraseproof.analysis.calibrated import Extra, Probes, fitted_on
from phraseproof.analysis.calibrators import calibrator_of
from phraseproof.errors import UsageError
from support.option_values import values_of


def random_values(rows: int = 3, examples: int = 20) -> np.ndarray:
    rng = np.random.default_rng(0)
    return log_softmax(rng.normal(size=(rows, examples, 3)) + rng.normal(size=(rows, 1, 3)) * 2, axis=-1)


@pytest.mark.parametrize("method", ["batch", "prior-matching"])
def test_a_calibrator_corrects_as_the_method_fitted_on_all_examples(method: str) -> None:
    values = values_of(random_values())
    expected = fitted_on(values, values, method)
    found = calibrator_of([values], method, model="m")
    for row, wording in enumerate(values.wordings):
        assert found.apply(values.values[row], task="t", wording=wording) == pytest.approx(expected[row])


def test_demonstration_seeds_of_a_wording_are_pooled() -> None:
    both = random_values(rows=2)
    found = calibrator_of([values_of(both, seeds=(0, 1), wordings=("c/w", "c/w"))], "batch", model="m")
    (correction,) = found.corrections
    expected = calibrator_of([values_of(both.reshape(1, 40, 3))], "batch", model="m")
    assert correction.bias == pytest.approx(expected.corrections[0].bias)
    assert correction.num_examples == 20


def test_answers_to_extra_prompts_are_pooled_too() -> None:
    values = values_of(random_values(rows=2), seeds=(0, 1), wordings=("c/w", "c/w"))
    probes = Probes(random_values(rows=2, examples=2), np.array([-1, -1]), np.array([True, True]))
    found = calibrator_of([values], "contextual", model="m", extras=[Extra(probes=probes)])
    mean = np.exp(probes.logprobs).reshape(4, 3).mean(axis=0)
    expected = np.log(mean) - np.log(mean).mean()
    assert found.corrections[0].bias == pytest.approx(expected)


def test_a_correction_of_each_example_by_its_own_options_cannot_be_saved() -> None:
    with pytest.raises(UsageError, match="depends on the options of each example"):
        calibrator_of([values_of(random_values())], "pmi-dc", model="m")


def test_lengths_are_what_the_file_divides_by() -> None:
    found = calibrator_of([values_of(random_values(), names=("x", "yy", "zzz"))], "per-byte", model="m")
    corrected = found.apply([-1.0, -4.0, -3.0], task="t", wording="c/w0", options=["x", "yy", "zzz"])
    assert corrected == pytest.approx(log_softmax([-1.0, -2.0, -1.0]))
