"""Mean scores with their intervals, overall and per category."""

from __future__ import annotations

import pytest

from phraseproof.analysis.statistics import robustness
from phraseproof.reports.build.run_tables import RunScores, task_tables
from phraseproof.reports.charts.headline import mean_intervals
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support import table_samples
from support.grid_samples import grid
from support.other_metrics import LETTERS
from support.table_samples import VALUES, scores


def test_overall_comes_first_then_categories() -> None:
    (table,) = task_tables([RunScores("r", "m", scores(VALUES), metric=ACCURACY)])
    chart = mean_intervals(table, None)
    rows = {(row["row"], row["group"]): row["percent"] for row in chart.data["intervals"]}
    # Categories: qa 62.5 and 55.5, bc 85 and 90 percent (by hand from VALUES).
    assert next(iter(rows))[0] == "Overall"
    assert rows["Overall", "observed"] == pytest.approx((62.5 + 85) / 2)
    assert rows["Overall", "unobserved"] == pytest.approx((55.5 + 90) / 2)
    assert rows["qa", "unobserved"] == pytest.approx(55.5)
    assert all(row["low"] is None for row in chart.data["intervals"])
    assert "intervals" not in chart.title


def test_intervals_are_those_of_the_statistics() -> None:
    values = [[1, 1, 0, 1, 0, 1], [1, 0, 0, 1, 0, 1], [0, 0, 0, 1, 0, 0]]
    found = robustness([grid(values, groups=["g"] * 3, task="c/t")])[0]
    run = RunScores("r", "m", table_samples.scores({"c/t": {"g": [sum(row) / 6 for row in values]}}), metric=ACCURACY)
    (table,) = task_tables([run])
    chart = mean_intervals(table, found)
    (row,) = chart.data["intervals"]
    mean = found.tasks[0].groups["g"].findings["mean"]
    assert mean.low is not None
    assert (row["row"], row["percent"]) == ("c/t", pytest.approx(100 * 8 / 18))
    assert row["low"] == pytest.approx(100 * mean.low)
    assert "95% intervals" in chart.title


def test_means_are_in_the_metric_s_unit() -> None:
    run = RunScores("r", "m", table_samples.scores({"c/t": {"g": [12.0, 13.0]}}), metric=LETTERS)
    (table,) = task_tables([run])
    chart = mean_intervals(table, None)
    assert chart.data["intervals"][0]["estimate"] == 12.5
    assert (chart.title, chart.description) == ("Mean length over wordings", "c/t, g: 12.5 letters.")
    assert "chance" not in chart.data
