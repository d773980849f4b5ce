"""The rows of the result table."""

from __future__ import annotations

import pytest

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.result_rows import (
    RowSource,
    comparison_rows,
    scaled,
    scaling_rows,
    summary_rows,
    wording_rows,
)
from phraseproof.analysis.robustness import MeanDifference, summarize
from phraseproof.analysis.scaling import ScalePoint, scaling
from phraseproof.core import Finding
from phraseproof.scoring.accuracy import METRIC
from support.table_samples import RUN

SOURCE = RowSource("runs/a", 0, "loglikelihood", METRIC)


def test_units_follow_the_statistic() -> None:
    assert SOURCE.unit("mean") == ("%", 100.0)
    assert SOURCE.unit("kappa") == ("", 1.0)
    assert SOURCE.difference_unit() == ("points", 100.0)


def test_what_has_no_value_has_none_in_another_unit() -> None:
    assert (scaled(0.25, 100), scaled(0.0, 100), scaled(None, 100)) == (25.0, 0.0, None)


def test_an_imported_accuracy_has_no_number_of_examples() -> None:
    (row,) = wording_rows([RUN.scores[0]._replace(num_examples=None)], SOURCE)
    assert (row.n, row.method, row.estimate, row.unit) == (None, "published", 50.0, "%")
    assert (row.level, row.task, row.wording) == ("wording", "qa/one", "observed/0")


def test_a_summary_has_a_row_per_place_group_and_statistic() -> None:
    (summary,) = summarize(RUN.scores)
    rows = list(summary_rows(summary, SOURCE))
    assert len(rows) == 6 * (2 + 3)
    assert {row.statistic for row in rows} == {"mean", "std", "difference from observed"}
    (overall,) = [
        row for row in rows if row.level is Level.OVERALL and row.statistic == "mean" and row.group == "observed"
    ]
    assert overall.estimate == pytest.approx(100 * summary.overall.groups["observed"].mean)
    assert (overall.category, overall.task) == ("", "")


def test_a_comparison_has_both_means_and_their_difference() -> None:
    line = MeanDifference(Level.TASK, "t", "C", "", 0.5, 0.6, Finding("d", 0.1, 9, "m", 0.0, 0.2, 0.04))
    before, after, difference = comparison_rows([line], SOURCE)
    assert (before.estimate, after.estimate) == (50.0, 60.0)
    assert (difference.low, difference.high, difference.p_value, difference.category) == (0.0, 20.0, 0.04, "C")


def test_the_line_through_gaps_follows_the_gap_of_each_task() -> None:
    points = [ScalePoint("m", 10**size, "t", gap, f"runs/{size}", 5) for size, gap in {6: 0.3, 7: 0.2, 8: 0.1}.items()]
    *gaps, slope, intercept, explained = scaling_rows(scaling(points), METRIC, "loglikelihood")
    assert [(row.run, row.task, row.num_fewshot, row.statistic, row.unit) for row in gaps] == [
        (f"runs/{size}", "t", 5, "gap", "points") for size in (6, 7, 8)
    ]
    assert [row.estimate for row in gaps] == pytest.approx([30.0, 20.0, 10.0])
    assert (slope.run, slope.statistic, slope.n, slope.unit) == ("", "gap per tenfold parameters", 3, "points")
    assert (slope.estimate, intercept.estimate, explained.estimate) == pytest.approx((-10.0, 90.0, 1.0))
    assert explained.unit == ""
