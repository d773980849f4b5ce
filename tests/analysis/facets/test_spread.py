"""Standard deviations over wordings, draws and both, by hand."""

from __future__ import annotations

from statistics import stdev

import numpy as np
import pytest

from phraseproof.analysis.facets.spread import facet_spreads
from support.facet_designs import design


def test_the_three_ways_to_take_a_standard_deviation() -> None:
    means = np.array([[0.2, 0.4, 0.6], [0.5, 0.5, 0.8]])
    scores = means[:, :, None] + np.array([-0.1, 0.1])
    wordings, draws, together = facet_spreads(design(scores))
    of_draws = [stdev(column) for column in means.T]
    assert wordings.facet == "wordings"
    assert wordings[1:4] == pytest.approx((float(np.mean(of_draws)), min(of_draws), max(of_draws)))
    of_wordings = [stdev(row) for row in means]
    assert draws.facet == "draws"
    assert draws[1:4] == pytest.approx((float(np.mean(of_wordings)), min(of_wordings), max(of_wordings)))
    assert together.facet == "all"
    assert together.mean == together.low == together.high == pytest.approx(stdev(means.ravel()))
    assert [spread.number for spread in (wordings, draws, together)] == [3, 2, 1]


def test_one_facet_has_one_spread() -> None:
    (spread,) = facet_spreads(design(np.array([[0.0, 1.0], [1.0, 1.0]]), facets=("wordings", "examples")))
    assert (spread.facet, spread.mean) == ("wordings", pytest.approx(stdev([0.5, 1.0])))
