"""Each statistic, on grids whose values are known."""

import math
from dataclasses import replace
from statistics import stdev

import numpy as np
import pytest

from phraseproof.analysis.estimators.crossed import draw_samples
from phraseproof.analysis.estimators.measures import STATISTICS, compute, measure
from phraseproof.analysis.estimators.resampling import Resampler
from phraseproof.errors import NotEnoughDataError
from phraseproof.scoring.registry import metric
from support.grid_samples import grid

SCORES = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1], [1, 0, 1, 0]])


def test_estimates_are_those_of_the_definitions() -> None:
    part = measure(draw_samples(grid(SCORES), Resampler(0, 100))["g"], None)
    means = SCORES.mean(axis=1)
    expected = {
        "mean": means.mean(),
        "std": stdev(means.tolist()),
        "range": 0.75,
        "worst": 0.25,
        "best": 1.0,
        "q50": 0.5,
    }
    for name, value in expected.items():
        assert compute(name, [part]).estimate == pytest.approx(value)


def test_what_needs_answers_says_so() -> None:
    part = measure(draw_samples(grid(SCORES), Resampler(0, 100))["g"], None)
    for name in ("flips", "pairwise_flips", "kappa"):
        with pytest.raises(NotEnoughDataError, match="three wordings"):
            compute(name, [part])
    texts = measure(draw_samples(replace(grid(SCORES), metric=metric("exact_match")), Resampler(0, 100))["g"], None)
    with pytest.raises(NotEnoughDataError, match="free text has none"):
        compute("kappa", [texts])


def test_intervals_hold_their_estimates() -> None:
    part = measure(draw_samples(grid(SCORES), Resampler(0, 100))["g"], None)
    for name in STATISTICS:
        if name in {"flips", "pairwise_flips", "kappa"}:
            continue
        found = compute(name, [part])
        assert math.isfinite(found.estimate)
        if found.low is not None and found.high is not None:
            assert found.low <= found.estimate <= found.high
