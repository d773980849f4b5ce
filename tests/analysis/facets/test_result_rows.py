"""Rows hold the components as standard deviations in the metric's unit."""

from __future__ import annotations

import numpy as np
import pytest

from phraseproof.analysis.facets.result_rows import facet_notes, facet_rows, std_finding
from phraseproof.analysis.facets.run import RunFacets, task_facets
from phraseproof.analysis.result_rows import RowSource
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support.facet_designs import design


def test_roots_shares_and_standard_errors() -> None:
    task = task_facets(design(np.random.default_rng(0).integers(0, 2, (3, 4, 20)).astype(float)))
    rows = {row.statistic: row for row in facet_rows(task, RowSource("r", 1, "loglikelihood", ACCURACY))}
    examples = task.components["examples",]
    row = rows["std of examples"]
    assert (row.level, row.task, row.category, row.group, row.unit) == ("task", "t", "c", "g", "points")
    assert row.estimate == pytest.approx(100 * examples.estimate**0.5)
    assert examples.low is not None
    assert row.low == pytest.approx(100 * examples.low**0.5)
    assert row.high == 100 * (std_finding(examples).high or 0)
    shares = [row.estimate for name, row in rows.items() if name.startswith("share of ")]
    assert sum(shares) == pytest.approx(100)
    assert rows["standard error of the mean"].estimate == pytest.approx(100 * task.now.mean)
    assert rows["std over all"].estimate == pytest.approx(100 * task.spreads[-1].mean)
    (note,) = facet_notes(RunFacets((task,)))
    assert note.startswith("t under g, 1-shot: The mean, ")
