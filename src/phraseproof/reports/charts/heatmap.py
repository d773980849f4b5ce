"""Task by wording: which wordings fail where. Each category of tasks is a block with its own columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.ranking import WordingRanking
from phraseproof.reports.build.numbers import title_with_unit, value_with_unit
from phraseproof.reports.build.text import printable
from phraseproof.reports.charts.chart import (
    Chart,
    Row,
    Spec,
    number_format,
    score_domain,
    score_field,
    tooltip,
    wording_keys,
)

if TYPE_CHECKING:
    from phraseproof.scoring.metric import Metric

_ROW = 20
_NARROWEST = 19
"""The width in pixels that a square needs for its value without decimals."""

_WIDEST = 48
"""The largest width in pixels of a column for its group's name. Longer names are cut."""

_MOST_VALUES = 60
"""With more columns than this, values are not printed; they are shown on hovering."""

_MOST_COLUMNS = 300
"""With more columns than this, a web page shows `_AT_ONCE` of them at once."""

_AT_ONCE = 36
"""Columns with values that a page has room for on a wide screen."""

_AXIS = 190
"""Pixels for the names of tasks."""


class _Block(NamedTuple):
    """A category: its name, its tasks, and its columns, which are pairs of group and wording."""

    category: str
    tasks: list[str]
    columns: list[tuple[str, str]]


def heatmap(rankings: Sequence[WordingRanking], metric: Metric, *, title: str = "", is_paged: bool = False) -> Chart:
    """A square for each task and wording with its value, wordings in the order of their groups, best first.

    Args:
        rankings: of one run at one number of demonstrations; at least one.
        metric: what scores are in; light squares are better.
        title: what the tasks have in common.
        is_paged: very many columns are shown in parts.
    """
    field = score_field(metric)
    blocks = [
        _block(category, rankings, metric) for category in dict.fromkeys(ranking.category for ranking in rankings)
    ]
    rows: list[Row] = []
    lanes: list[Row] = []
    labels: list[str] = []
    for block in blocks:
        heading = printable(block.category) if len(blocks) > 1 else ""
        labels += [heading, *map(printable, block.tasks)]
        place = {key: number for number, key in enumerate(block.columns)}
        lanes += [
            {
                "row": heading,
                "group": printable(group),
                "_first": min(place[key] for key in block.columns if key[0] == group) - 0.5,
                "_last": max(place[key] for key in block.columns if key[0] == group) + 0.5,
            }
            for group in dict.fromkeys(group for group, _ in block.columns)
        ]
        rows += [
            {
                "task": printable(ranking.task),
                "group": printable(ranking.group),
                "wording": printable(wording.score.instruction),
                field: metric.scale * wording.score.mean_score,
                "examples": wording.score.num_examples,
                "_place": place[ranking.group, wording.score.instruction],
                **wording_keys(ranking.task, wording.score.instruction),
            }
            for ranking in rankings
            if ranking.category == block.category
            for wording in ranking.wordings
        ]
    worst = min(rows, key=lambda row: metric.benefit(row[field]))
    domain = score_domain([row[field] for row in rows], metric)
    most = max(len(block.columns) for block in blocks)
    description = (
        f"{sum(len(block.tasks) for block in blocks)} tasks by {len({key for b in blocks for key in b.columns})} "
        f"wordings. The worst square is {worst['wording']} on {worst['task']}: "
        f"{value_with_unit(worst[field] / metric.scale, metric)}."
    )
    name = f"Task by wording{': ' + printable(title) if title else ''}"
    shown = _AT_ONCE if is_paged and most > _MOST_COLUMNS else most
    spec = _spec(labels, shown, domain, metric)
    narrowest = _narrowest(blocks, _value_width(rankings, metric))
    width = _AXIS + narrowest * shown if shown <= _MOST_VALUES else 0
    chart = Chart("heatmap", name, description, spec, {"squares": rows, "groups": lanes}, min_width=width)
    return chart if shown == most else replace(chart, columns=most, columns_shown=shown)


def _block(category: str, rankings: Sequence[WordingRanking], metric: Metric) -> _Block:
    members = [ranking for ranking in rankings if ranking.category == category]
    by_wording: dict[tuple[str, str], list[float]] = {}
    for ranking in members:
        for wording in ranking.wordings:
            by_wording.setdefault((ranking.group, wording.score.instruction), []).append(
                metric.benefit(wording.score.mean_score)
            )
    groups = list(dict.fromkeys(ranking.group for ranking in members))
    columns = sorted(by_wording, key=lambda key: (groups.index(key[0]), -fmean(by_wording[key]), key[1]))
    return _Block(category, list(dict.fromkeys(ranking.task for ranking in members)), columns)


def _value_width(rankings: Sequence[WordingRanking], metric: Metric) -> int:
    """The width in pixels of the longest value: percent without decimals, other units with two digits."""
    if metric.unit == "%":
        return _NARROWEST
    values = {wording.score.mean_score for ranking in rankings for wording in ranking.wordings}
    return max(_NARROWEST, 5 * max(len(f"{metric.scale * value:.2g}") for value in values) + 5)


def _narrowest(blocks: Sequence[_Block], value: int) -> int:
    """The width in pixels that a column needs for values and for the names of neighbouring groups.

    Args:
        value: the pixels for values.
    """
    widths: list[float] = [value]
    for block in blocks:
        groups = [printable(group) for group, _ in block.columns]
        widths += [(7 * len(group) + 8) / groups.count(group) for group in dict.fromkeys(groups)]
    return max(value, round(min(_WIDEST, max(widths))))


def _spec(labels: list[str], count: int, ends: tuple[float, float], metric: Metric) -> Spec:
    """Rows from above: for each category its groups, then its tasks.

    Args:
        labels: of the rows; the group names' rows have the category's name, or none.
        count: the largest number of columns.
        ends: of the colours, in the metric's unit.
    """
    low, high = ends
    field, title = score_field(metric), printable(title_with_unit(metric))
    x = {"type": "quantitative", "scale": {"domain": [-0.5, count - 0.5], "nice": False, "zero": False}, "axis": None}
    y = {"type": "nominal", "sort": labels, "scale": {"domain": labels}, "axis": {"title": None}}
    squares = {
        "data": {"name": "squares"},
        "transform": [
            {"calculate": "datum._place - 0.5", "as": "_left"},
            {"calculate": "datum._place + 0.5", "as": "_right"},
        ],
        "mark": {"type": "rect", "aria": False, "tooltip": True, "style": "square"},
        "encoding": {
            "x": {"field": "_left", **x},
            "x2": {"field": "_right"},
            "y": {"field": "task", **y},
            "color": {
                "field": field,
                "type": "quantitative",
                "scale": {
                    "scheme": "viridis",
                    "domain": [low, high],
                    "nice": False,
                    "reverse": not metric.higher_is_better,
                },
                "legend": {
                    "title": title,
                    "orient": "top",
                    "gradientLength": 160,
                    "gradientThickness": 10,
                    "values": [low, (low + high) / 2, high],
                    "format": number_format(metric),
                },
            },
            "tooltip": tooltip(
                {
                    "wording": "wording",
                    "task": "task",
                    "group": "group",
                    field: title,
                    "examples": "examples",
                },
                decimals=(field,),
                number=number_format(metric),
            ),
        },
    }
    bands = {
        "data": {"name": "groups"},
        "mark": {"type": "rule", "strokeWidth": 3, "aria": False, "xOffset": 1, "x2Offset": -1, "yOffset": 7},
        "encoding": {"x": {"field": "_first", **x}, "x2": {"field": "_last"}, "y": {"field": "row", **y}},
    }
    names = {
        "data": {"name": "groups"},
        "mark": {
            "type": "text",
            "align": "left",
            "aria": False,
            "xOffset": 2,
            "yOffset": -2,
            "limit": {"expr": f"(datum._last - datum._first) * width / {count} - 4"},
        },
        "encoding": {
            "x": {"field": "_first", **x},
            "y": {"field": "row", **y},
            "text": {"field": "group", "type": "nominal"},
        },
    }
    printed = [_values(count, x, y, (low + high) / 2, metric)] if count <= _MOST_VALUES else []
    return {"height": _ROW * len(labels), "layer": [squares, *printed, bands, names]}


def _values(count: int, x: Spec, y: Spec, middle: float, metric: Metric) -> Spec:
    """Each square's value, with a decimal where there is room, dark on light squares and light on dark ones."""
    room, field = f"width / {count}", score_field(metric)
    long, short = (".1f", ".0f") if metric.unit == "%" else (".3g", ".2g")
    light = ">" if metric.higher_is_better else "<"
    return {
        "data": {"name": "squares"},
        "transform": [
            {
                "calculate": f"format(datum.{field}, {room} > 34 ? '{long}' : '{short}')",
                "as": "_value",
            }
        ],
        "mark": {
            "type": "text",
            "aria": False,
            "fontSize": {"expr": f"{room} < 22 ? 9 : 10.5"},
            "tooltip": None,
        },
        "encoding": {
            "x": {"field": "_place", **x},
            "y": {"field": "task", **y},
            "text": {"field": "_value", "type": "nominal"},
            "opacity": {"condition": {"test": f"{room} >= 15", "value": 1}, "value": 0},
            "color": {
                "condition": {"test": f"datum.{field} {light} {middle}", "value": "#1b1f24"},
                "value": "white",
            },
        },
    }
