"""The page of a comparison: two runs, what got better and what got worse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from phraseproof.analysis.aggregation import Level
from phraseproof.reports.build.compare import ComparisonReport
from phraseproof.reports.build.numbers import difference_in_unit, difference_with_unit
from phraseproof.reports.build.text import short_model_names
from phraseproof.reports.charts.chart import Chart
from phraseproof.reports.charts.intervals import Interval, intervals
from phraseproof.reports.html.document import render_page

_PICTURED = 60


class ComparisonView(NamedTuple):
    """A comparison with its picture."""

    id: str
    name: str
    found: ComparisonReport
    chart: Chart


def comparison_views(comparisons: Sequence[ComparisonReport], *, prefix: str = "compare") -> list[ComparisonView]:
    """One view for each number of demonstrations."""
    return [
        ComparisonView(
            f"{prefix}-k{found.num_fewshot}",
            f"{_models(found)}, {found.num_fewshot}-shot",
            found,
            _picture(found),
        )
        for found in comparisons
    ]


def render_comparison(comparisons: Sequence[ComparisonReport]) -> str:
    """The page of two runs.

    Raises:
        MissingExtraError: the extra `report` is not installed.
    """
    views = comparison_views(comparisons)
    return render_page(
        "compare.html.j2",
        title=f"{_models(views[0].found)}: what changed",
        subtitle=f"{views[0].found.before.path} to {views[0].found.after.path}",
        charts={f"{view.id}-chart": (0, view.chart) for view in views},
        views=views,
    )


def _picture(found: ComparisonReport) -> Chart:
    lines = [line for line in found.lines if not line.group]
    if len(lines) > _PICTURED:
        lines = [line for line in lines if line.level is not Level.TASK]
    lines, metric = lines[-1:] + lines[:-1], found.metric
    said = "; ".join(
        f"{line.name}: {difference_with_unit(line.finding.estimate, metric)}"
        + (
            ""
            if line.finding.low is None or line.finding.high is None
            else f" ({difference_in_unit(line.finding.low, metric)} to {difference_in_unit(line.finding.high, metric)})"
        )
        for line in lines[:12]
    )
    return intervals(
        [
            Interval(line.name, "", line.finding.estimate, line.finding.low, line.finding.high).scaled(metric.scale)
            for line in lines
        ],
        title="After minus before, with 95% intervals",
        description=f"{said}.",
        metric=metric,
        differences=True,
    )


def _models(found: ComparisonReport) -> str:
    models = found.before.model, found.after.model
    short = short_model_names(models)
    return " to ".join(short[model] for model in models)
