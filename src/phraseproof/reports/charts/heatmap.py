"""Task by wording: which wordings fail where."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from phraseproof.analysis.ranking import WordingRanking
from phraseproof.reports.build.run_tables import printable
from phraseproof.reports.charts.chart import Chart, Row, Spec, tooltip, wording_keys

_ROW = 18
_NAMED = 30
"""With more columns than this, names would overlap; they are shown on hovering."""


def heatmap(rankings: Sequence[WordingRanking], *, title: str = "") -> Chart:
    """A square for each task and wording, wordings in the order of their groups, best first.

    Args:
        rankings: of one run at one number of demonstrations, of tasks that share wordings (a category's); at least one.
        title: what the tasks have in common.
    """
    tasks = list(dict.fromkeys(printable(ranking.task) for ranking in rankings))
    by_wording: dict[tuple[str, str], list[float]] = {}
    for ranking in rankings:
        for wording in ranking.wordings:
            by_wording.setdefault((ranking.group, wording.score.instruction), []).append(wording.score.mean_score)
    groups = list(dict.fromkeys(ranking.group for ranking in rankings))
    columns = sorted(by_wording, key=lambda key: (groups.index(key[0]), -fmean(by_wording[key]), key[1]))
    place = {key: number for number, key in enumerate(columns)}
    rows: list[Row] = [
        {
            "task": printable(ranking.task),
            "group": printable(ranking.group),
            "wording": printable(wording.score.instruction),
            "accuracy_percent": 100 * wording.score.mean_score,
            "examples": wording.score.num_examples,
            "_place": place[ranking.group, wording.score.instruction],
            **wording_keys(ranking.task, wording.score.instruction),
        }
        for ranking in rankings
        for wording in ranking.wordings
    ]
    lanes: list[Row] = [
        {
            "group": printable(group),
            "_first": min(place[key] for key in columns if key[0] == group) - 0.5,
            "_last": max(place[key] for key in columns if key[0] == group) + 0.5,
        }
        for group in groups
    ]
    lowest = min(rows, key=lambda row: row["accuracy_percent"])
    description = (
        f"{len(tasks)} tasks by {len(columns)} wordings. The lowest square is {lowest['wording']} on {lowest['task']}: "
        f"{lowest['accuracy_percent']:.1f}%."
    )
    name = f"Task by wording{': ' + printable(title) if title else ''}"
    return Chart("heatmap", name, description, _spec(tasks, len(columns), lanes), {"squares": rows, "groups": lanes})


def _spec(tasks: list[str], count: int, lanes: Sequence[Row]) -> Spec:
    domain = [-0.5, count - 0.5]
    x = {"type": "quantitative", "scale": {"domain": domain, "nice": False, "zero": False}}
    hidden = {"axis": None}
    height = _ROW * len(tasks)
    squares = {
        "data": {"name": "squares"},
        "transform": [
            {"calculate": "datum._place - 0.5", "as": "_left"},
            {"calculate": "datum._place + 0.5", "as": "_right"},
        ],
        "mark": {"type": "rect", "aria": False, "tooltip": True, "style": "square"},
        "encoding": {
            "x": {"field": "_left", **x, **hidden},
            "x2": {"field": "_right"},
            "y": {"field": "task", "type": "nominal", "sort": tasks, "axis": {"title": None}},
            "color": {
                "field": "accuracy_percent",
                "type": "quantitative",
                "scale": {"scheme": "viridis", "domain": [0, 100]},
                "legend": {"title": "accuracy (%)", "orient": "top", "gradientLength": 160, "gradientThickness": 10},
            },
            "tooltip": tooltip(
                {
                    "wording": "wording",
                    "task": "task",
                    "group": "group",
                    "accuracy_percent": "accuracy (%)",
                    "examples": "examples",
                },
                decimals=("accuracy_percent",),
            ),
        },
    }
    if len(lanes) < 2:
        return {"height": height, "layer": [squares]}
    bands = {
        "data": {"name": "groups"},
        "mark": {"type": "rule", "strokeWidth": 3, "aria": False, "xOffset": 1, "x2Offset": -1},
        "encoding": {
            "x": {"field": "_first", **x, **hidden},
            "x2": {"field": "_last"},
            "y": {"value": height + 6},
        },
    }
    names = {
        "data": {"name": "groups"},
        "transform": [{"calculate": "(datum._first + datum._last) / 2", "as": "_middle"}],
        "mark": {"type": "text", "baseline": "top", "aria": False},
        "encoding": {
            "x": {"field": "_middle", **x, **hidden},
            "y": {"value": height + 11},
            "text": {"field": "group", "type": "nominal"},
        },
    }
    return {"height": height, "padding": {"bottom": 8}, "layer": [squares, bands, names]}
