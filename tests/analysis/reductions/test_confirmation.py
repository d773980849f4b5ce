"""A way on examples that were set aside: fitted on the others only, by plain loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from phraseproof.analysis.ensembles import combine
from phraseproof.analysis.option_values import OptionValues, scores
from phraseproof.analysis.reductions.confirmation import confirm, set_aside
from phraseproof.calibration.bias import batch_bias, without_bias
from support.option_grids import simulated


@pytest.fixture(scope="module")
def sides() -> tuple[OptionValues, OptionValues]:
    of = simulated(np.random.default_rng(2), wordings=6, examples=100, options=3, skill=1.5, prior=1.0)
    return set_aside(of, 0.4, seed=3)


def test_every_example_is_on_one_side(sides: tuple[OptionValues, OptionValues]) -> None:
    fit, aside = sides
    assert (len(fit.examples), len(aside.examples)) == (60, 40)
    assert not set(fit.examples) & set(aside.examples)


def test_the_best_wording_is_that_of_the_other_side(sides: tuple[OptionValues, OptionValues]) -> None:
    fit, aside = sides
    best = int(scores(fit.values, fit).mean(axis=1).argmax())
    found = confirm("best wording", fit, aside, calibration="batch")
    assert found.after == pytest.approx(scores(aside.values, aside)[best].mean())
    assert found.before == pytest.approx(scores(aside.values, aside).mean())


def test_calibration_is_fitted_on_the_other_side(sides: tuple[OptionValues, OptionValues]) -> None:
    fit, aside = sides
    bias = batch_bias(fit.logprobs, fit.classes[0], 3)
    corrected = without_bias(aside.logprobs, aside.classes[0], bias)
    found = confirm("calibrated ensemble of all", fit, aside, calibration="batch")
    right = scores(combine(corrected)[None], aside)[0]
    assert found.after == pytest.approx(right.mean())
    gains = right - scores(aside.values, aside).mean(axis=0)
    interval = stats.ttest_1samp(gains, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_labels_that_were_set_aside_choose_nothing(sides: tuple[OptionValues, OptionValues]) -> None:
    fit, aside = sides
    # All labels are wrong on one side: what is chosen stays, so every right answer becomes a wrong one.
    wrong = replace(aside, credits=1 - aside.credits)
    before = confirm("best wording, calibrated", fit, aside, calibration="batch")
    after = confirm("best wording, calibrated", fit, wrong, calibration="batch")
    assert after.after == pytest.approx(1 - before.after)
