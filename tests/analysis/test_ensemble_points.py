"""Means of curves over tasks and categories."""

from __future__ import annotations

from math import hypot
from statistics import fmean

import numpy as np
import pytest
from scipy.special import log_softmax

from phraseproof.analysis.ensemble_curve import ALL, EnsembleSettings, ensemble_curve
from phraseproof.analysis.ensemble_points import EnsembleCurve, over_tasks
from support.option_arrays import option_values


def curve(seed: int, category: str, wordings: int) -> EnsembleCurve:
    rng = np.random.default_rng(seed)
    right = rng.integers(0, 3, size=50)
    values = log_softmax(rng.normal(size=(wordings, 50, 3)) + np.eye(3)[right], axis=-1)
    found = ensemble_curve(option_values(np.asarray(values), right), EnsembleSettings(sizes=(1, 2, 4, ALL), draws=20))
    return found._replace(name=f"t{seed}", category=category)


def test_tasks_are_weighted_equally_and_sizes_that_a_task_lacks_are_left_out() -> None:
    curves = [curve(0, "A", 5), curve(1, "A", 3), curve(2, "B", 5)]
    first, second, overall = over_tasks(curves)
    assert [each.name for each in (first, second, overall)] == ["A", "B", "Overall"]
    assert {point.size for point in first.points} == {1, 2, ALL}
    assert second.points == curves[2].points
    by_key = [{point.key: point for point in each.points} for each in curves]
    for point in overall.points:
        parts = [points[point.key] for points in by_key]
        weights = (0.25, 0.25, 0.5)
        expected = sum(weight * part.gain.estimate for weight, part in zip(weights, parts, strict=True))
        assert point.gain.estimate == pytest.approx(expected)
        if point.way == "random":
            assert point.gain.p_value is None
            continue
        error = hypot(*(weight * (part.gain.standard_error or 0) for weight, part in zip(weights, parts, strict=True)))
        assert point.gain.standard_error == pytest.approx(error)
        assert point.accuracy.low is not None
        assert point.accuracy.low < point.accuracy.estimate
    everything = next(point for point in first.points if point.size == ALL)
    assert everything.calls == fmean([5, 3])
