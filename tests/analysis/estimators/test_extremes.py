"""The best and the worst of the wordings that were tried."""

import numpy as np
import pytest

from phraseproof.analysis.estimators.extremes import Bounded, mean_of_bounded


def test_bounds_of_a_mean_lie_between_those_of_its_parts() -> None:
    one, other = Bounded(0.5, 0.4, 0.6), Bounded(0.7, 0.6, 0.8)
    mean = mean_of_bounded([(one, 0.5), (other, 0.5)])
    assert mean.value == pytest.approx(0.6)
    assert 0.5 < mean.low < mean.value < mean.high < 0.7
    assert mean_of_bounded([(one, 1.0)]) == pytest.approx(tuple(one))
    assert np.isfinite(mean.low)
