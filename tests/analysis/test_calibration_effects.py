"""Effects of calibration: equal to those of the analysis, and intervals that cover the true gain."""

from __future__ import annotations

import numpy as np
import pytest

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.calibrated import cross_fitted, fitted_on
from phraseproof.analysis.calibration_effects import effects, imbalance
from phraseproof.analysis.option_values import scores
from support.option_values import values_of


def simulated(rng: np.random.Generator, wordings: int, examples: int, *, prior: float = 2.0) -> np.ndarray:
    """Log-probabilities with skill, in which each wording prefers one of two options."""
    bias = rng.normal(size=(wordings, 1)) * prior
    margin = rng.normal(0.5, 1.0, size=(1, examples)) + rng.normal(size=(wordings, examples)) * 0.5
    return np.stack([margin + bias, np.zeros_like(margin)], axis=-1)


def test_estimates_are_those_of_the_scores() -> None:
    values = values_of(simulated(np.random.default_rng(0), 6, 50))
    after = values.values - np.array([1.0, 0.0])
    (effect,) = effects([values], {"x": [after]}, resamples=300)
    means = [scores(each, values).mean(axis=1) for each in (values.values, after)]
    for found, expected in zip((effect.before, effect.after), means, strict=True):
        assert found["mean"].estimate == pytest.approx(expected.mean())
        assert found["std"].estimate == pytest.approx(np.std(expected, ddof=1))
        assert found["worst"].estimate == expected.min()
    assert effect.gain.estimate == pytest.approx((means[1] - means[0]).mean())
    assert (effect.level, effect.name, effect.method) == (Level.TASK, "t", "x")


def test_methods_meet_the_same_resamples() -> None:
    values = values_of(simulated(np.random.default_rng(0), 6, 50))
    after = values.values - np.array([1.0, 0.0])
    first, second = effects([values], {"x": [after], "y": [after]}, resamples=200)
    assert first.gain == second.gain


def test_a_sure_loss_is_harm() -> None:
    values = values_of(np.log(np.array([[[0.9, 0.1]] * 40] * 5)))
    values.values[0, 0] = values.values[0, 0, ::-1]
    (effect,) = effects([values], {"x": [values.values[..., ::-1].copy()]}, resamples=200)
    assert effect.does_harm
    (back,) = effects([values_of(values.values[..., ::-1].copy())], {"x": [values.values]}, resamples=200)
    assert not back.does_harm


def test_demonstration_seeds_of_a_wording_are_one_wording() -> None:
    values = values_of(
        simulated(np.random.default_rng(0), 4, 30), seeds=(0, 1, 0, 1), wordings=("c/a", "c/a", "c/b", "c/b")
    )
    (effect,) = effects([values], {"x": [values.values]}, resamples=100)
    means = scores(values.values, values).mean(axis=1)
    assert effect.before["worst"].estimate == pytest.approx(min(means[:2].mean(), means[2:].mean()))
    assert effect.gain.estimate == 0


def test_a_single_wording_has_a_mean_only() -> None:
    values = values_of(simulated(np.random.default_rng(0), 1, 30))
    (effect,) = effects([values], {"x": [values.values]}, resamples=100)
    assert set(effect.before) == {"mean"}


def test_the_interval_of_the_gain_covers_the_gain_of_a_correction_fitted_on_all_examples_there_are() -> None:
    rng = np.random.default_rng(7)
    population = values_of(simulated(rng, 500, 3000))
    after = fitted_on(population, population, "batch")
    truth = (scores(after, population) - scores(population.values, population)).mean()
    covered = 0
    for _ in range(200):
        rows, columns = rng.choice(500, 10, replace=False), rng.choice(3000, 80, replace=False)
        values = values_of(population.values[np.ix_(rows, columns)])
        (effect,) = effects([values], {"batch": [cross_fitted(values, "batch")]}, resamples=300)
        assert effect.gain.low is not None
        assert effect.gain.high is not None
        covered += effect.gain.low <= truth <= effect.gain.high
    assert 183 <= covered <= 200


def test_classes_that_are_right_too_often_are_named() -> None:
    balanced = values_of(np.zeros((2, 90, 3)), targets=np.arange(90) % 3)
    assert imbalance(balanced) is None
    skewed = values_of(np.zeros((2, 90, 3)), targets=np.where(np.arange(90) < 60, 1, 2))
    found = imbalance(skewed)
    assert found is not None
    assert (found.name, found.share, found.assumed) == ("b", pytest.approx(2 / 3), pytest.approx(1 / 3))
    few = values_of(np.zeros((2, 4, 3)), targets=np.array([1, 1, 2, 1]))
    assert imbalance(few) is None  # four examples show nothing


def test_positions_with_fewer_options_are_right_more_often_by_chance() -> None:
    values = values_of(np.zeros((1, 100, 3)), targets=np.arange(100) % 2)
    values.has_option[:, 2] = False
    values.classes[..., 2] = -1
    assert imbalance(values) is None
