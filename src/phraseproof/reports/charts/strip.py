"""Every wording's score as a dot, for each task and group; the mean as a bar, the best and the worst named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.ranking import WordingRanking
from phraseproof.reports.build.numbers import title_with_unit, unit_sign, value_with_unit
from phraseproof.reports.build.text import printable
from phraseproof.reports.charts.chart import (
    NARROW_PAGE,
    Chart,
    Row,
    Spec,
    chance_layer,
    group_color,
    group_shape,
    in_unit,
    lane_axis,
    number_format,
    score_axis,
    score_field,
    score_scale,
    tooltip,
    with_chance,
    wording_keys,
)
from phraseproof.reports.charts.strip_places import (
    coincident,
    column_of,
    crowded_places,
    largest_place,
    pushed_apart,
)

if TYPE_CHECKING:
    from phraseproof.scoring.metric import Metric

_LANE = 25
"""For many tasks. Fewer tasks have more room for overlapping dots."""

_ROOM = 240
"""So high is the picture at least, while lanes are no higher than `_HIGHEST_LANE`."""

_HIGHEST_LANE = 48
_LINES_SAID = "line: many wordings; the number is that of the longest"

_HAS_ROOM = f"datum._narrow || containerSize()[0] === 0 || containerSize()[0] >= {NARROW_PAGE}"

_NUMBER = 10
_DOT = 8
"""Heights of a number and of a dot in pixels."""


class _Lanes(NamedTuple):
    """The lanes of one task: numbers above, dots below them. Places are shares of the task's height.

    Attributes:
        height: of a lane, in pixels.
        groups: how many lanes a task has.
    """

    height: int
    groups: int

    @classmethod
    def of(cls, tasks: int, groups: int) -> _Lanes:
        return cls(min(_HIGHEST_LANE, max(_LANE, _ROOM // (tasks * groups))), groups)

    def dot(self, lane: int, push: float) -> float:
        """The place of a dot that is moved off the middle by -1 to 1."""
        spread = (self.height - _NUMBER - _DOT - 1) / 2
        return (lane + (_NUMBER + _DOT / 2 + spread * (1 + push)) / self.height) / self.groups

    @property
    def bar(self) -> int:
        """The length of the bar at the mean in pixels."""
        return self.height - _NUMBER - 1

    @property
    def longest_line(self) -> int:
        """The length in pixels of the line for the largest number of wordings, below its number."""
        return self.bar - 6

    def number(self, lane: int) -> float:
        """The place of a number's lower edge."""
        return (lane + _NUMBER / self.height) / self.groups


def strip(
    rankings: Sequence[WordingRanking],
    metric: Metric,
    *,
    current: str | None = None,
    chance: Mapping[str, float] | None = None,
) -> Chart:
    """A lane for each task and group.

    Args:
        rankings: of one run at one number of demonstrations; at least one.
        metric: what scores are in.
        current: the name of the wording in use today, which gets a ring.
        chance: the score of guessing, as scores are stored, by task; none for metrics without such a level.
    """
    groups = list(dict.fromkeys(ranking.group for ranking in rankings))
    tasks = list(dict.fromkeys(ranking.task for ranking in rankings))
    field = score_field(metric)
    everything = [metric.scale * wording.score.mean_score for ranking in rankings for wording in ranking.wordings]
    levels: list[Row] = [
        {"row": printable(task), "chance_percent": metric.scale * level}
        for task, level in (chance or {}).items()
        if task in tasks
    ]
    held, axis = with_chance(everything, [row["chance_percent"] for row in levels], metric)
    scale = score_scale(held, metric)
    width = max(held) - min(held)
    lanes = _Lanes.of(len(tasks), len(groups))
    rows: list[Row] = []
    means: list[Row] = []
    counts: list[Row] = []
    lines: list[Row] = []
    for ranking in rankings:
        lane = groups.index(ranking.group)
        values = [metric.scale * wording.score.mean_score for wording in ranking.wordings]
        where = {"task": printable(ranking.task), "group": printable(ranking.group)}
        pushes = pushed_apart(values, width)
        crowds = crowded_places(values, width)
        for wording, value, push in zip(ranking.wordings, values, pushes, strict=True):
            is_current = wording.score.instruction == current
            is_dot = is_current or column_of(value, width) not in crowds
            rows.append(
                {
                    **where,
                    "wording": printable(wording.score.instruction),
                    field: value,
                    "examples": wording.score.num_examples,
                    "mark": "current" if is_current else wording.mark.value if wording.mark else "",
                    **({"_offset": lanes.dot(lane, push)} if is_dot else {}),
                    **wording_keys(ranking.task, wording.score.instruction),
                }
            )
        if crowds:
            lines += _lines(crowds, lanes, lane, where, metric)
        numbers = [largest_place(crowds)] if crowds else coincident(values, width)
        counts += [
            {**where, field: value, "wordings": count, "_offset": lanes.number(lane), "_narrow": is_narrow}
            for value, count, is_narrow in numbers
        ]
        means.append(
            {
                **where,
                in_unit("mean", metric): sum(values) / len(values),
                in_unit("lowest", metric): min(values),
                in_unit("highest", metric): max(values),
                "wordings": len(values),
                "_offset": lanes.dot(lane, 0),
            }
        )
    shown = [printable(group) for group in groups]
    return Chart(
        kind="strip",
        title=printable(f"Every wording's {metric.name}, by task"),
        description=_description(means, len(lines), metric),
        spec=_spec(
            [printable(task) for task in tasks],
            shown,
            lanes,
            metric,
            (scale, [axis, _LINES_SAID] if lines else axis),
            has_current=current is not None,
            has_chance=bool(levels),
            has_lines=bool(lines),
        ),
        data={
            "wordings": rows,
            "lines": lines,
            "means": means,
            "counts": counts,
            "chance": [row for row in levels if min(held) <= row["chance_percent"] <= max(held)],
        },
    )


def _spec(
    tasks: list[str],
    groups: list[str],
    lanes: _Lanes,
    metric: Metric,
    scale_and_title: tuple[Spec, str | list[str]],
    *,
    has_current: bool,
    has_chance: bool,
    has_lines: bool,
) -> Spec:
    scale, title = scale_and_title
    field, mean_field, number = score_field(metric), in_unit("mean", metric), number_format(metric)
    y: Spec = {"field": "task", "type": "nominal", "scale": {"domain": tasks}, "axis": lane_axis()}
    offset = {"field": "_offset", "type": "quantitative", "scale": {"domain": [0, 1]}}
    ends = (in_unit("from", metric), in_unit("to", metric))
    hover = tooltip(
        {
            "wording": "wording",
            "task": "task",
            "group": "group",
            field: printable(title_with_unit(metric)),
            "examples": "examples",
            "mark": "",
        },
        decimals=(field,),
        number=number,
    )
    dots = {
        "data": {"name": "wordings"},
        **({"transform": [{"filter": "isValid(datum._offset)"}]} if has_lines else {}),
        "mark": {"type": "point", "filled": True, "size": 46, "aria": False, "style": "dot"},
        "encoding": {
            "x": {
                "field": field,
                "type": "quantitative",
                "scale": scale,
                "axis": score_axis(metric, title),
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
        "mark": {"type": "tick", "thickness": 2.5, "size": lanes.bar, "aria": False, "style": "mean"},
        "encoding": {
            "x": {"field": mean_field, "type": "quantitative", "scale": scale},
            "y": y,
            "yOffset": offset,
            "tooltip": tooltip(
                {
                    "task": "task",
                    "group": "group",
                    mean_field: printable(f"mean ({unit_sign(metric)})"),
                    "wordings": "wordings",
                },
                decimals=(mean_field,),
                number=number,
            ),
        },
    }
    ring = {
        "data": {"name": "wordings"},
        "transform": [{"filter": "datum.mark === 'current'"}],
        "mark": {"type": "point", "filled": False, "size": 150, "strokeWidth": 2, "aria": False, "style": "mean"},
        "encoding": {
            "x": {"field": field, "type": "quantitative", "scale": scale},
            "y": y,
            "yOffset": offset,
            "tooltip": hover,
        },
    }
    numbers = {
        "data": {"name": "counts"},
        "mark": {"type": "text", "style": "count", "baseline": "bottom", "aria": False},
        "encoding": {
            "x": {"field": field, "type": "quantitative", "scale": scale},
            "y": y,
            "yOffset": offset,
            "text": {
                "condition": {"test": _HAS_ROOM, "field": "wordings", "type": "quantitative", "format": ",d"},
                "value": "",
            },
            "tooltip": tooltip({"wordings": "wordings in this place", "task": "task", "group": "group"}),
        },
    }
    crowd = {
        "data": {"name": "lines"},
        "mark": {"type": "tick", "thickness": 3, "aria": False},
        "encoding": {
            "x": {"field": field, "type": "quantitative", "scale": scale},
            "y": y,
            "yOffset": offset,
            "size": {"field": "_length", "type": "quantitative", "scale": None},
            "color": group_color(groups),
            "tooltip": tooltip(
                {"wordings": "wordings", "task": "task", "group": "group", **{name: name for name in ends}},
                decimals=ends,
                number=number,
            ),
        },
    }
    guess = chance_layer({"type": "quantitative", "scale": scale, "axis": score_axis(metric, title)}, y)
    return {
        "height": (lanes.height * len(groups) + 9) * len(tasks),
        "layer": [
            *([guess] if has_chance else []),
            *([crowd] if has_lines else []),
            mean,
            dots,
            numbers,
            *([ring] if has_current else []),
        ],
    }


def _lines(
    crowds: Mapping[int, Sequence[float]], lanes: _Lanes, lane: int, where: Row, metric: Metric
) -> Iterator[Row]:
    """A line for each crowded place of a lane, as long as its number of wordings."""
    most = max(map(len, crowds.values()))
    for values in crowds.values():
        yield {
            **where,
            score_field(metric): fmean(values),
            "wordings": len(values),
            in_unit("from", metric): min(values),
            in_unit("to", metric): max(values),
            "_offset": lanes.dot(lane, 0),
            "_length": lanes.longest_line * len(values) / most,
        }


def _description(means: Sequence[Row], lines: int, metric: Metric) -> str:
    lowest, highest = in_unit("lowest", metric), in_unit("highest", metric)
    widest = max(means, key=lambda row: row[highest] - row[lowest])
    ends = (value_with_unit(widest[end] / metric.scale, metric) for end in (lowest, highest))
    crowded = f" Where many wordings have nearly one score, they are one line ({lines} lines)." if lines else ""
    return (
        f"A dot for each wording, in {len(means)} lanes, one for each task and group.{crowded} The widest lane is "
        f"{widest['task']}, {widest['group']}: from {' to '.join(ends)} over {widest['wordings']} wordings."
    )
