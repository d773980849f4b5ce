"""Every wording's accuracy as a dot, for each task and group; the mean as a bar, the best and the worst named."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.analysis.ranking import WordingRanking
from phraseproof.reports.build.run_tables import printable
from phraseproof.reports.charts.chart import (
    Chart,
    Row,
    Spec,
    group_color,
    group_shape,
    lane_axis,
    percent_axis,
    percent_scale,
    tooltip,
    wording_keys,
)

_LANE = 15
"""Of many tasks; fewer have more room, for dots that lie on one another."""

_ROOM = 240
"""So high is the picture at least, while lanes are no higher than `_HIGHEST_LANE`."""

_HIGHEST_LANE = 48
_STACKED = 6
"""Dots that lie on one another are pushed apart by so many steps at most, either way of the middle."""


def strip(rankings: Sequence[WordingRanking], *, current: str | None = None) -> Chart:
    """A lane for each task and group.

    Args:
        rankings: of one run at one number of demonstrations; at least one.
        current: the name of the wording in use today, which gets a ring of its own.
    """
    groups = list(dict.fromkeys(ranking.group for ranking in rankings))
    tasks = list(dict.fromkeys(ranking.task for ranking in rankings))
    everything = [100 * wording.score.mean_score for ranking in rankings for wording in ranking.wordings]
    scale = percent_scale(everything)
    width = max(everything) - min(everything)
    rows: list[Row] = []
    means: list[Row] = []
    for ranking in rankings:
        lane = (groups.index(ranking.group) + 0.5) / len(groups)
        values = [100 * wording.score.mean_score for wording in ranking.wordings]
        pushes = _pushed_apart(values, width / 90)
        for wording, value, push in zip(ranking.wordings, values, pushes, strict=True):
            mark = "current" if wording.score.instruction == current else wording.mark.value if wording.mark else ""
            rows.append(
                {
                    "task": printable(ranking.task),
                    "group": printable(ranking.group),
                    "wording": printable(wording.score.instruction),
                    "accuracy_percent": value,
                    "examples": wording.score.num_examples,
                    "mark": mark,
                    "_offset": lane + push * 0.42 / len(groups),
                    **wording_keys(ranking.task, wording.score.instruction),
                }
            )
        means.append(
            {
                "task": printable(ranking.task),
                "group": printable(ranking.group),
                "mean_percent": sum(values) / len(values),
                "lowest_percent": min(values),
                "highest_percent": max(values),
                "wordings": len(values),
                "_offset": lane,
            }
        )
    shown = [printable(group) for group in groups]
    return Chart(
        kind="strip",
        title="Every wording's accuracy, by task",
        description=_description(means),
        spec=_spec([printable(task) for task in tasks], shown, scale, has_current=current is not None),
        data={"wordings": rows, "means": means},
    )


def _spec(tasks: list[str], groups: list[str], scale: Spec, *, has_current: bool) -> Spec:
    lane = min(_HIGHEST_LANE, max(_LANE, _ROOM // (len(tasks) * len(groups))))
    y: Spec = {"field": "task", "type": "nominal", "sort": tasks, "axis": lane_axis()}
    offset = {"field": "_offset", "type": "quantitative", "scale": {"domain": [0, 1]}}
    hover = tooltip(
        {
            "wording": "wording",
            "task": "task",
            "group": "group",
            "accuracy_percent": "accuracy (%)",
            "examples": "examples",
            "mark": "",
        },
        decimals=("accuracy_percent",),
    )
    dots = {
        "data": {"name": "wordings"},
        "mark": {"type": "point", "filled": True, "size": 46, "aria": False, "style": "dot"},
        "encoding": {
            "x": {
                "field": "accuracy_percent",
                "type": "quantitative",
                "scale": scale,
                "axis": percent_axis("accuracy (%), means as bars"),
            },
            "y": y,
            "yOffset": offset,
            "color": group_color(groups),
            "shape": group_shape(groups),
            "tooltip": hover,
        },
    }
    mean = {
        "data": {"name": "means"},
        "mark": {"type": "tick", "thickness": 2.5, "size": min(lane - 2, 30), "aria": False, "style": "mean"},
        "encoding": {
            "x": {"field": "mean_percent", "type": "quantitative", "scale": scale},
            "y": y,
            "yOffset": offset,
            "tooltip": tooltip(
                {"task": "task", "group": "group", "mean_percent": "mean (%)", "wordings": "wordings"},
                decimals=("mean_percent",),
            ),
        },
    }
    ring = {
        "data": {"name": "wordings"},
        "transform": [{"filter": "datum.mark === 'current'"}],
        "mark": {"type": "point", "filled": False, "size": 150, "strokeWidth": 2, "aria": False, "style": "mean"},
        "encoding": {
            "x": {"field": "accuracy_percent", "type": "quantitative", "scale": scale},
            "y": y,
            "yOffset": offset,
            "tooltip": hover,
        },
    }
    return {
        "height": (lane * len(groups) + 9) * len(tasks),
        "layer": [mean, dots, *([ring] if has_current else [])],
    }


def _pushed_apart(values: Sequence[float], close: float) -> list[float]:
    """How far each dot moves off its lane's middle, -1 to 1, so that equal values do not hide one another."""
    taken: dict[int, int] = {}
    order: list[int] = []
    bins = [round(value / close) if close > 0 else 0 for value in values]
    for place in bins:
        order.append(taken.get(place, 0))
        taken[place] = order[-1] + 1
    pushes: list[float] = []
    for place, number in zip(bins, order, strict=True):
        step = 1 / max(_STACKED, (taken[place] + 1) // 2)
        side = 1 if number % 2 else -1
        pushes.append(side * ((number + 1) // 2) * step)
    return pushes


def _description(means: Sequence[Row]) -> str:
    widest = max(means, key=lambda row: row["highest_percent"] - row["lowest_percent"])
    return (
        f"A dot for each wording, in {len(means)} lanes, one for each task and group. The widest lane is "
        f"{widest['task']}, {widest['group']}: from {widest['lowest_percent']:.1f}% to "
        f"{widest['highest_percent']:.1f}% over {widest['wordings']} wordings."
    )
