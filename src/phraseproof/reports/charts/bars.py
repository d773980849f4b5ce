"""Grouped bars with error bars (Figures 3, 7 and 8): one row per label, one bar in it for each group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from phraseproof.reports.build.text import printable
from phraseproof.reports.charts.chart import (
    Chart,
    Row,
    Spec,
    group_color,
    name_axis,
    name_height,
    name_width,
    plain_numbers,
    tooltip,
)

_LANE = 15
_PLOT = 180
"""Pixels: the height of a bar with its gap, the width that bars need at least."""
_SAID = 40
"""The maximum number of bars whose values are in the description."""


class Bar(NamedTuple):
    """One bar.

    Attributes:
        label: the row that it is drawn in, such as a task or a kind of wording.
        group: the bar within the row, such as a model; empty where a row has one bar.
        value: where the bar ends; it begins at zero.
        low, high: the ends of the error bar, where there is one.
    """

    label: str
    group: str
    value: float
    low: float | None = None
    high: float | None = None


def bars(
    marks: Sequence[Bar],
    *,
    title: str,
    axis: str,
    error_bars: str = "",
    signed: bool = False,
    number: str = ".1f",
    group_order: Sequence[str] = (),
) -> Chart:
    """A bar for each label and group, with error bars where they are given.

    Labels and groups are drawn in the order in which they come. Two charts with the same `group_order` have the same
    colours.

    Args:
        marks: at least one, each label and group once, in the unit of the axis.
        title: what is shown, in a few words.
        axis: the title of the axis of values, with the unit: `accuracy (%)`.
        error_bars: what the error bars are, such as `95% intervals over wordings`; added to the axis's title.
        signed: the values are differences, so numbers on the axis have a sign.
        number: the format of values in the description and on hovering, as of d3.
        group_order: groups that come first; the others follow as they come.
    """
    labels = list(dict.fromkeys(printable(mark.label) for mark in marks))
    groups = list(dict.fromkeys(printable(name) for name in (*group_order, *(mark.group for mark in marks))))
    present = {printable(mark.group) for mark in marks}
    rows: list[Row] = [
        {
            "row": printable(mark.label),
            "group": printable(mark.group),
            "value": mark.value,
            "low": mark.low,
            "high": mark.high,
        }
        for mark in marks
    ]
    shown = printable(axis)
    has_errors = any(mark.low is not None for mark in marks)
    if error_bars and has_errors:
        shown += f"; lines: {printable(error_bars)}"
    said = "; ".join(_said(mark, number, signed=signed) for mark in marks[:_SAID])
    more = f"; and {len(marks) - _SAID} more" if len(marks) > _SAID else ""
    return Chart(
        kind="bars",
        title=printable(title),
        description=f"{printable(title)}; {shown}: {said}{more}.",
        spec=_spec(labels, [name for name in groups if name in present], groups, shown, number, signed=signed),
        data={"bars": rows},
        min_width=round(_PLOT + name_width(labels)),
    )


def _said(mark: Bar, number: str, *, signed: bool) -> str:
    def text(value: float) -> str:
        return format(value, ("+" if signed else "") + number)

    name = printable(f"{mark.label}, {mark.group}" if mark.group else mark.label)
    ends = "" if mark.low is None or mark.high is None else f" ({text(mark.low)} to {text(mark.high)})"
    return f"{name}: {text(mark.value)}{ends}"


def _spec(labels: list[str], present: list[str], groups: list[str], axis: str, number: str, *, signed: bool) -> Spec:
    y = {
        "y": {
            "field": "row",
            "type": "nominal",
            "scale": {"domain": labels, "paddingInner": 0.25, "paddingOuter": 0.15},
            "axis": {**name_axis(labels), "grid": False},
        },
        "yOffset": {"field": "group", "type": "nominal", "scale": {"domain": present}},
    }
    x = {
        "field": "value",
        "type": "quantitative",
        "scale": {"zero": True, "nice": True},
        "axis": {
            "title": axis.split("; ") if "; " in axis else axis,
            "grid": True,
            "tickCount": 6,
            **plain_numbers(signed=signed),
        },
    }
    color = group_color(groups)
    if color["legend"] is not None:
        color["legend"] = {**color["legend"], "symbolType": "square", "values": present}
    hover = tooltip(
        {"row": "", "group": "group", "value": axis, "low": "from", "high": "to"},
        decimals=("value", "low", "high"),
        number=("+" if signed else "") + number,
    )
    bar = {
        "mark": {"type": "bar", "opacity": 0.85, "tooltip": True},
        "encoding": {**y, "x": x, "color": color, "tooltip": hover, "description": {"field": "row", "type": "nominal"}},
    }
    line = {
        "transform": [{"filter": "isValid(datum.low) && isValid(datum.high)"}],
        "mark": {"type": "rule", "style": "mean", "strokeWidth": 1.2, "aria": False},
        "encoding": {**y, "x": {**x, "field": "low"}, "x2": {"field": "high"}},
    }
    zero = {"mark": {"type": "rule", "style": "mean", "aria": False}, "encoding": {"x": {"datum": 0}}}
    return {
        "data": {"name": "bars"},
        "height": max(_LANE * len(present) + 8, name_height(labels)) * len(labels),
        "layer": [bar, line, zero],
    }
