"""The findings of `represent` as rows: per wording, task and category, in the metric's unit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phraseproof.reports.build.representations import category_distances, representation_results
from phraseproof.store.representations import Regression, RepresentationMap, TaskDistance, WordingDistance

TASKS = (
    TaskDistance("qa/one", "qa", 0, 2.0, 3.0, -0.04, 2, 1200),
    TaskDistance("qa/two", "qa", 0, 4.0, None, -0.02, 3, 10),
    TaskDistance("bc/one", "bc", 0, 1.5, None, None, 1, 10),
)
MAP = RepresentationMap(
    reference="observed",
    points=(),
    distances=(
        WordingDistance("qa/one", "qa", 0, "new", "new/w0", 2.0, 3.0, 0.5, -0.04),
        WordingDistance("qa/two", "qa", 0, "new", "new/w0", 4.0, None, None, None),
        WordingDistance("qa/two", "qa", 0, "new", "new/w1", 4.0, None, None, None),
    ),
    tasks=TASKS,
    regression=Regression(-1.5, 0.2, -2.5, -0.5, 0.0004, 0.81, 6),
    task_regression=None,
    regression_reason=None,
    settings={},
    notes=("one note",),
)


def test_rows_hold_what_was_found_in_the_metric_s_unit() -> None:
    table = representation_results(MAP, run="runs/a", scoring="paper")
    assert {(row.run, row.num_fewshot, row.scoring) for row in table} == {("runs/a", 0, "paper")}
    shown = [(row.statistic, row.estimate, row.unit, row.n) for row in table.select(wording="new/w0", task="qa/one")]
    assert shown == [
        ("distance", 2.0, "l2", 1200),
        ("distance before", 3.0, "l2", 1200),
        ("difference from observed", -4.0, "points", 1200),
        ("mean", 50.0, "%", 1200),
    ]
    (category, difference) = table.select(level="category")
    assert (category.category, category.estimate, category.n) == ("qa", 3.0, 2), (
        "a wording that serves two tasks counts once"
    )
    assert difference.estimate == pytest.approx(-3.0)
    assert [row.task for row in table.select(level="task", statistic="distance")] == ["qa/one", "qa/two", "bc/one"]
    slope, explained = table.select(level="overall")
    assert (slope.statistic, slope.unit) == ("slope over wordings", "points per l2")
    assert (slope.estimate, slope.low, slope.high, slope.p_value, slope.n) == (-1.5, -2.5, -0.5, 0.0004, 6)
    assert explained.estimate == 0.81
    assert table.notes == ("one note",)


def test_categories_with_one_task_or_several_numbers_of_demonstrations_have_no_mean() -> None:
    assert [row.category for row in category_distances(MAP)] == ["qa"]
    assert category_distances(replace(MAP, tasks=(TASKS[0], TASKS[1]._replace(num_fewshot=5)))) == []


def test_a_regression_over_several_numbers_of_demonstrations_is_a_note() -> None:
    table = representation_results(replace(MAP, tasks=(TASKS[0], TASKS[1]._replace(num_fewshot=5))), run="a")
    assert not table.select(level="overall")
    assert "several numbers of demonstrations" in table.notes[-1]
