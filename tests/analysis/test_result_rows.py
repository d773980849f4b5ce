"""The rows of the result table."""

from __future__ import annotations

import pytest

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.result_rows import RowSource, comparison_rows, scaled, summary_rows, wording_rows
from phraseproof.analysis.robustness import MeanDifference, summarize
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
