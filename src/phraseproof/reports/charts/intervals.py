"""Estimates with their intervals, one row per group: the chart next to the headline, and of differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.result_rows import scaled
from phraseproof.reports.build.numbers import difference_unit, title_with_unit
from phraseproof.reports.build.text import printable
from phraseproof.reports.charts.chart import (
    Chart,
    Row,
    Spec,
    chance_layer,
    group_color,
    group_shape,
    lane_axis,
    name_axis,
    name_height,
    name_width,
    number_format,
    plain_numbers,
    score_axis,
    score_scale,
    tooltip,
    with_chance,
)

if TYPE_CHECKING:
    from phraseproof.scoring.metric import Metric

_LANE = 17
_PLOT = 180
"""The least width that intervals need next to whole labels, in pixels."""


class Interval(NamedTuple):
    """One mark.

    Attributes:
        label: the row that it is drawn in.
        group: the lane within the row; empty where there is one lane.
        estimate, low, high: in the metric's unit; `low` and `high` where there is an interval.
    """

    label: str
    group: str
    estimate: float
    low: float | None = None
    high: float | None = None

    def scaled(self, factor: float) -> Interval:
        """The mark with its numbers times a factor."""
        return self._replace(
            estimate=factor * self.estimate, low=scaled(self.low, factor), high=scaled(self.high, factor)
        )


def intervals(
    marks: Sequence[Interval],
    *,
    title: str,
    description: str,
    metric: Metric,
    differences: bool = False,
    chance: Mapping[str, float] | None = None,
    group_order: Sequence[str] = (),
    whole_labels: bool = False,
) -> Chart:
    """A row for each label, a lane in it for each group.

    Args:
        marks: at least one.
        metric: what scores are in.
        differences: differences around a line at zero, instead of scores.
        chance: the percent of right answers by chance, by label; none for metrics without such a level.
        group_order: groups to draw first; the others follow as they come.
        whole_labels: never shorten a label; a page that is too narrow scrolls the picture.
    """
    labels = list(dict.fromkeys(printable(mark.label) for mark in marks))
    groups = list(dict.fromkeys(printable(name) for name in (*group_order, *(mark.group for mark in marks))))
    field = _field(metric, differences=differences)
    rows: list[Row] = [
        {
            "row": printable(mark.label),
            "group": printable(mark.group),
            field: mark.estimate,
            "low": mark.low,
            "high": mark.high,
            "_offset": (groups.index(printable(mark.group)) + 0.5) / len(groups),
        }
        for mark in marks
    ]
    ends = [value for mark in marks for value in (mark.estimate, mark.low, mark.high) if value is not None]
    levels: list[Row] = [
        {"row": printable(label), "chance_percent": level}
        for label, level in (chance or {}).items()
        if printable(label) in labels
    ]
    if differences:
        # A point to either side, or a tenth of the largest difference where a point means nothing.
        least = 1.0 if metric.unit == "%" else max(map(abs, ends)) / 10 or 1.0
        scale: Spec = {"domain": [min(-least, *ends), max(least, *ends)], "padding": 7}
        title_of_axis = printable(f"difference ({difference_unit(metric)})")
        numbers = plain_numbers(signed=True) | ({} if metric.unit == "%" else {"format": "+~g"})
        axis: Spec = {"title": title_of_axis, "tickCount": 6, **numbers}
    else:
        held, named = with_chance(ends, [row["chance_percent"] for row in levels], metric)
        scale, axis = score_scale(held, metric), score_axis(metric, named)
    y = _rows(labels, whole=whole_labels)
    spec = _spec(y, groups, metric, {"scale": scale, "axis": axis}, differences=differences)
    min_width = round(_PLOT + name_width(labels)) if whole_labels else 0
    if not levels:
        return Chart("intervals", title, description, spec, {"intervals": rows}, min_width)
    x = {"type": "quantitative", "scale": scale, "axis": axis}
    spec["layer"].insert(0, chance_layer(x, y))
    levels = [row for row in levels if scale["domain"][0] <= row["chance_percent"] <= scale["domain"][1]]
    return Chart("intervals", title, description, spec, {"intervals": rows, "chance": levels}, min_width)


def _field(metric: Metric, *, differences: bool) -> str:
    if differences:
        return "percentage_points" if metric.unit == "%" else "difference"
    return "percent" if metric.unit == "%" else "estimate"


def _rows(labels: list[str], *, whole: bool) -> Spec:
    axis = name_axis(labels) if whole else lane_axis()
    return {"field": "row", "type": "nominal", "scale": {"domain": labels}, "axis": axis}


def _spec(y: Spec, groups: list[str], metric: Metric, scale_and_axis: Spec, *, differences: bool) -> Spec:
    title: str = scale_and_axis["axis"]["title"] if differences else printable(title_with_unit(metric))
    field = _field(metric, differences=differences)
    place = {
        "y": y,
        "yOffset": {"field": "_offset", "type": "quantitative", "scale": {"domain": [0, 1]}},
    }
    x: Spec = {"field": field, "type": "quantitative", **scale_and_axis}
    hover = tooltip(
        {"row": "", "group": "group", field: title, "low": "interval from", "high": "to"},
        decimals=(field, "low", "high"),
        number=number_format(metric),
    )
    color = group_color(groups)
    line = {
        "transform": [{"filter": "isValid(datum.low)"}],
        "mark": {"type": "rule", "strokeWidth": 2.5, "aria": False, "opacity": 0.7},
        "encoding": {
            **place,
            "x": {**x, "field": "low"},
            "x2": {"field": "high"},
            "color": color,
            "tooltip": hover,
        },
    }
    dot = {
        "mark": {"type": "point", "filled": True, "size": 75, "opacity": 1, "tooltip": True},
        "encoding": {
            **place,
            "x": x,
            "color": color,
            "shape": group_shape(groups),
            "tooltip": hover,
            "description": {"field": "row", "type": "nominal"},
        },
    }
    layers: list[Spec] = [line, dot]
    labels: list[str] = y["scale"]["domain"]
    # Only whole labels have no limit; each of their lines needs room.
    least = name_height(labels) if y["axis"].get("labelLimit") == 0 else 0
    height = max(_LANE * len(groups) + 11, least)
    if differences:
        zero = {"mark": {"type": "rule", "style": "zero", "aria": False}, "encoding": {"x": {"datum": 0}}}
        layers.insert(0, zero)
    return {
        "data": {"name": "intervals"},
        "height": height * len(labels),
        "layer": layers,
    }
