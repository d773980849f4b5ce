"""Bars of measured means with their intervals, and the names of models on charts."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.analysis.result_rows import scaled
from phraseproof.analysis.robustness import Row
from phraseproof.analysis.statistics import StatisticsRow
from phraseproof.reports.build.text import short_model_names
from phraseproof.reports.charts.bars import Bar
from phraseproof.studies.measured import MeasuredGroups, mean_finding


def mean_bar(found: MeasuredGroups, rows: tuple[Row, StatisticsRow], group: str, *, label: str, name: str) -> Bar:
    """The mean of a group of wordings with its interval, in the metric's unit.

    Args:
        found: whose metric gives the unit.
        rows: one of `found.rows()` that has the group.
        group: of wordings.
        label: the row of the chart.
        name: the bar in it.
    """
    row, statistics = rows
    scale = found.metric.scale
    mean = mean_finding(statistics.groups.get(group))
    low, high = (None, None) if mean is None else (mean.low, mean.high)
    return Bar(label, name, scale * row.groups[group].mean, scaled(low, scale), scaled(high, scale))


def model_names(measured: Sequence[MeasuredGroups]) -> list[str]:
    """Short names of the models, each different: runs of one model have the names of their folders added."""
    shown = short_model_names(found.model for found in measured)
    names = [shown[found.model] for found in measured]
    if len(set(names)) == len(names):
        return names
    folders = short_model_names(str(found.run.path) for found in measured)
    return [f"{name} ({folders[str(found.run.path)]})" for name, found in zip(names, measured, strict=True)]


def error_bars(measured: Sequence[MeasuredGroups]) -> str:
    """What the intervals of `mean_bar` are over: published accuracies hold no examples."""
    if all(found.run.accuracies for found in measured):
        return "95% intervals over wordings"
    return "95% intervals over wordings and examples"
