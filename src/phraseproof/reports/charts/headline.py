"""Mean scores over wordings with their intervals: the chart next to the sentences at the top of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phraseproof.analysis.aggregation import Level
from phraseproof.reports.build.answers import baseline, chance_levels, within_row
from phraseproof.reports.build.numbers import value_in_unit, value_with_unit
from phraseproof.reports.build.run_tables import TaskTable
from phraseproof.reports.build.text import printable
from phraseproof.reports.charts.chart import Chart
from phraseproof.reports.charts.intervals import Interval, intervals

if TYPE_CHECKING:
    from phraseproof.analysis.robustness import Row
    from phraseproof.analysis.statistics import Robustness
    from phraseproof.scoring.metric import Metric


def mean_intervals(table: TaskTable, robustness: Robustness | None) -> Chart:
    """The mean over wordings overall and per category, or on a single task, for each group.

    Args:
        table: of one run at one number of demonstrations.
        robustness: the same with intervals; `None` where the run has none.
    """
    summary, metric = table.summary, table.run.metric
    lone = len(summary.tasks) == 1
    rows = list(summary.tasks) if lone else [summary.overall, *summary.categories]
    found = {}
    if robustness is not None:
        found = {(row.level, row.name): row for row in (*robustness.tasks, *robustness.categories, robustness.overall)}
    marks: list[Interval] = []
    for row in rows:
        for group in summary.groups:
            if group not in row.groups:
                continue
            estimate = found[row.level, row.name].groups.get(group) if (row.level, row.name) in found else None
            mean = estimate.findings.get("mean") if estimate is not None else None
            low, high = (mean.low, mean.high) if mean is not None else (None, None)
            marks.append(Interval(row.name, group, row.groups[group].mean, low, high))
    lines = [f"{mark.label}, {mark.group}: {_numbers(mark, metric)}" for mark in marks[:12]]
    has_intervals = any(mark.low is not None for mark in marks)
    title = printable(f"Mean {metric.name} over wordings") + (", with 95% intervals" if has_intervals else "")
    shown = {row.name: level for row in rows if (level := _chance(table, row)) is not None}
    description = printable("; ".join(lines)) + "."
    if shown:
        description += " Chance: " + ", ".join(f"{printable(name)} {level:.1f}%" for name, level in shown.items()) + "."
    shown_marks = [mark.scaled(metric.scale) for mark in marks]
    return intervals(shown_marks, title=title, description=description, metric=metric, chance=shown)


def _numbers(mark: Interval, metric: Metric) -> str:
    shown = value_with_unit(mark.estimate, metric)
    if mark.low is None or mark.high is None:
        return shown
    return f"{shown} ({value_in_unit(mark.low, metric)} to {value_in_unit(mark.high, metric)})"


def _chance(table: TaskTable, row: Row) -> float | None:
    """Percent; `None` where it is not known for all tasks of the row."""
    known = chance_levels(table.answers, table.run.metric)
    tasks = [
        task.name
        for task in table.summary.tasks
        if row.level is Level.OVERALL or row.name in {task.name, task.category}
    ]
    if not tasks or any(task not in known for task in tasks):
        return None
    return 100 * baseline(within_row(table.answers, row.level, row.name)).chance
