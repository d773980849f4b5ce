"""What a chart is, and what charts share."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from phraseproof.reports.build.numbers import title_with_unit
from phraseproof.reports.build.text import printable
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.scoring.metric import Metric

Row = Mapping[str, Any]

Spec: TypeAlias = dict[str, Any]
"""A part of a Vega-Lite specification: JSON whose schema is Vega-Lite's."""

HIDDEN = "_"
"""Fields that begin with it place marks; they are no data, and stay out of CSV files and tables."""

NARROW_PAGE = 560
"""Pixels: a narrower picture has smaller labels (`page.js`) and shorter lines."""

NARROW_LINE = 22
_WIDE_LINE = 44
_LEGEND_LINE = 44
"""The largest numbers of characters in a line of a name."""

_LETTER = 6.2
_LINE = 14
"""The width of a letter and the height of a line of a label, in pixels."""

_ROOM = f"(containerSize()[0] < {NARROW_PAGE} ? containerSize()[0] : (containerSize()[0] || width + 160) - 160)"
"""The pixels of a legend: all of a narrow page (`page.js`), else those above the picture. Off a page, only `width` is
known; on one it changes after the legend got its height."""

_PARTS = re.compile(r"[^ :+=_/,-]+[ :+=_/,-]*|[ :+=_/,-]+")

SHAPES = ("circle", "diamond", "square", "triangle-up", "cross", "triangle-down")


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture.

    Attributes:
        kind: `strip`, `heatmap`, ...: the chart's file.
        title: what it shows, in a few words.
        description: what it says, for readers who cannot see it; plain text.
        spec: a Vega-Lite view without data, size or colours, whose layers name datasets of `data`.
        data: rows by dataset; values in the metric's unit, in full precision. The first dataset is the picture's own.
        min_width: pixels below which its text cannot be read; a narrower page scrolls the picture.
        columns: how many columns there are, where a web page shows `columns_shown` of them at once: rows with their
            `_place`, and rows from `_first` to `_last`.
    """

    kind: str
    title: str
    description: str
    spec: Spec
    data: Mapping[str, Sequence[Row]] = field(default_factory=dict[str, Sequence[Row]])
    min_width: int = 0
    columns: int = 0
    columns_shown: int = 0

    @property
    def num_pages(self) -> int:
        """How many times `columns_shown` there are columns; 0 where all are shown at once."""
        return -(-self.columns // self.columns_shown) if self.columns_shown else 0

    @property
    def tables(self) -> dict[str, Sequence[Row]]:
        """The datasets that hold data, and not only places of marks."""
        return {
            name: rows
            for name, rows in self.data.items()
            if rows and sum(not key.startswith(HIDDEN) for key in rows[0]) > 1
        }


def wording_keys(task: str, wording: str) -> dict[str, str]:
    """What a row is called where its printable names are not what it is called: the page finds its text by it."""
    keys = {"_task": task, "_key": wording}
    return {name: key for name, key in keys.items() if printable(key) != key}


def group_color(groups: Sequence[str], *, legend: bool = True) -> Spec:
    """Colour by group, the same everywhere.

    Args:
        groups: their names.
        legend: whether the names are shown, where there are several.
    """
    shown = legend and len(groups) > 1
    return {
        "field": "group",
        "type": "nominal",
        "scale": {"domain": list(groups), "range": "category"},
        "legend": {**_legend(groups), "symbolType": "circle"} if shown else None,
    }


def _legend(names: Sequence[str]) -> Spec:
    """A legend above the picture with as many names side by side as its width has room for; no name is cut."""
    lines = [wrapped(name, _LEGEND_LINE) for name in names]
    widest = 30 + 7.2 * max(len(line) for name in lines for line in name)
    return {
        "title": None,
        "orient": "top",
        "columns": {"expr": f"max(1, min({len(names)}, floor({_ROOM} / {widest:.0f})))"},
        **_label_lines(names, lines, lines),
    }


def name_axis(names: Sequence[str]) -> Spec:
    """A vertical axis of names in full: long ones in several lines, shorter ones on a narrow page."""
    narrow, wide = ([wrapped(name, line) for name in names] for line in (NARROW_LINE, _WIDE_LINE))
    return {**lane_axis(), "labelLimit": 0, **_label_lines(names, narrow, wide), **_centred(names, narrow, wide)}


def name_width(names: Sequence[str]) -> float:
    """The pixels that `name_axis` takes on a narrow page."""
    return _LETTER * max(len(line) for name in names for line in wrapped(name, NARROW_LINE)) + 8


def name_height(names: Sequence[str]) -> int:
    """The pixels that the highest name of `name_axis` takes on a narrow page."""
    return _LINE * max(len(wrapped(name, NARROW_LINE)) for name in names) + 4


def wrapped(name: str, width: int) -> list[str]:
    """A name in lines of at most `width` characters. It is broken after a space or a sign that joins names."""
    lines = [""]
    for part in _PARTS.findall(name):
        whole = part
        if len(lines[-1] + whole.rstrip()) > width and lines[-1]:
            lines.append("")
        while len(whole.rstrip()) > width:
            lines[-1] = whole[:width]
            whole = whole[width:]
            lines.append("")
        lines[-1] += whole
    return [line.rstrip() for line in lines if line.strip()] or [name]


def _label_lines(names: Sequence[str], narrow: Sequence[Sequence[str]], wide: Sequence[Sequence[str]]) -> Spec:
    """What breaks labels into lines; nothing where each is one line."""
    if all(len(lines) == 1 for lines in narrow):
        return {}
    return {"labelExpr": f"{_by_page(narrow, wide)}[indexof({json.dumps(list(names))}, datum.label)]"}


def _centred(names: Sequence[str], narrow: Sequence[Sequence[str]], wide: Sequence[Sequence[str]]) -> Spec:
    """What moves labels of several lines up: the first line is in the middle of the row otherwise."""
    if all(len(lines) == 1 for lines in narrow):
        return {}
    ups = [[-_LINE / 2 * (len(lines) - 1) for lines in of] for of in (narrow, wide)]
    return {"labelOffset": {"expr": f"{_by_page(*ups)}[indexof({json.dumps(list(names))}, datum.value)]"}}


def _by_page(narrow: object, wide: object) -> str:
    """An expression with one value on a narrow page and another elsewhere."""
    if narrow == wide:
        return json.dumps(wide)
    return f"(containerSize()[0] < {NARROW_PAGE} ? {json.dumps(narrow)} : {json.dumps(wide)})"


def group_shape(groups: Sequence[str]) -> Spec:
    """Shape by group, for readers who cannot distinguish the colours. One legend serves both."""
    return {
        "field": "group",
        "type": "nominal",
        "scale": {"domain": list(groups), "range": [SHAPES[n % len(SHAPES)] for n in range(len(groups))]},
        "legend": _legend(groups) if len(groups) > 1 else None,
    }


def in_unit(name: str, metric: Metric) -> str:
    """The name of a column of values: `mean_percent`, or `mean` in any other unit."""
    return f"{name}_percent" if metric.unit == "%" else name


def score_field(metric: Metric) -> str:
    """The name of the column of scores: `accuracy_percent`, `score_percent` or `score`."""
    return in_unit(metric.name if metric.name == ACCURACY.name else "score", metric)


def number_format(metric: Metric, *, signed: bool = False) -> str:
    """How values are printed on hovering: percent with one decimal, other units with three significant digits."""
    return ("+" if signed else "") + (".1f" if metric.unit == "%" else ".3g")


def plain_numbers(*, signed: bool = False) -> Spec:
    """Numbers of an axis without exponents; zero never has a sign."""
    return {"format": "+~f", "labelExpr": "datum.value === 0 ? '0' : datum.label"} if signed else {"format": "~f"}


def score_axis(metric: Metric, title: str | list[str] | None = None) -> Spec:
    """A horizontal axis of scores that may begin above zero.

    Args:
        metric: what scores are in.
        title: one line or several; by default the metric and its unit.
    """
    shown = printable(title_with_unit(metric)) if title is None else title
    return {"title": shown, "tickCount": 6, "format": "~f" if metric.unit == "%" else "~g"}


def lane_axis() -> Spec:
    """A vertical axis of names, with lines between them."""
    return {"title": None, "grid": True, "tickBand": "extent"}


def score_domain(values: Sequence[float], metric: Metric) -> tuple[float, float]:
    """The ends of the values, apart by a percent or by a hundredth of the largest value, within the metric's range.

    Args:
        values: in the metric's unit; at least one.
    """
    low, high = min(values), max(values)
    least = 1.0 if metric.unit == "%" else max(abs(low), abs(high)) / 100 or 1.0
    if high - low < least:
        low, high = max(metric.scale * metric.low, low - least), min(metric.scale * metric.high, high + least)
    return low, high


def score_scale(values: Sequence[float], metric: Metric) -> Spec:
    """A scale around the values that is never empty and leaves room for marks at its ends."""
    return {"domain": list(score_domain(values, metric)), "nice": False, "zero": False, "padding": 7}


def with_chance(values: Sequence[float], chance: Collection[float], metric: Metric) -> tuple[list[float], str]:
    """The values that an axis of scores holds, chance included where it is near, and what the axis is called.

    Chance that is farther from the values than they are from one another would squeeze them, and stays outside.

    Args:
        values: in the metric's unit; at least one.
        chance: the levels of chance in the same unit; none for metrics that have no such level.
    """
    low, high = min(values), max(values)
    reach = max(high - low, 5.0)
    near = [level for level in chance if low - reach <= level <= high + reach]
    far = sorted({f"{level:.1f}" for level in chance if level not in near}, key=float)
    title = printable(title_with_unit(metric))
    if near:
        title += "; dashed: chance"
    if far:
        title += f"; chance outside: {far[0]}" + (f" to {far[-1]}" if len(far) > 1 else "")
    return [*values, *near], title


def chance_layer(x: Spec, y: Spec) -> Spec:
    """Dashed vertical lines at the level of chance, each as high as its row; from the dataset `chance`."""
    return {
        "data": {"name": "chance"},
        "mark": {"type": "rule", "style": "chance", "aria": False},
        "encoding": {
            "x": {**x, "field": "chance_percent"},
            "y": {**y, "field": "row", "bandPosition": 0},
            "y2": {"field": "row", "bandPosition": 1},
            "tooltip": tooltip({"row": "", "chance_percent": "chance (%)"}, decimals=("chance_percent",)),
        },
    }


def tooltip(fields: Mapping[str, str], *, decimals: Sequence[str] = (), number: str = ".1f") -> list[Spec]:
    """Tooltip entries: field to title; `decimals` are shown in the format `number`, with one decimal by default."""
    entries: list[Spec] = []
    for name, title in fields.items():
        entry: Spec = {"field": name, "title": title}
        if name in decimals:
            entry |= {"type": "quantitative", "format": number}
        else:
            entry |= {"type": "nominal"}
        entries.append(entry)
    return entries
