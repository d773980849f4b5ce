"""The loss of a wording by the distance of its representations from the nearest observed wording (Figure 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phraseproof.reports.build.numbers import short_difference_unit
from phraseproof.reports.build.text import printable
from phraseproof.reports.charts.chart import Chart, Row, Spec, group_color, group_shape, tooltip, wording_keys
from phraseproof.scoring.registry import metric as score_metric

if TYPE_CHECKING:
    from phraseproof.store.representations import RepresentationMap


def distance(found: RepresentationMap) -> Chart | None:
    """A dot for each unobserved wording of each task, and the regression line; `None` where no accuracy is known."""
    shown_in = score_metric(found.metric)
    change = "change_percentage_points" if shown_in.unit == "%" else "change"
    moved = any(point.before is not None for point in found.distances)
    rows: list[Row] = [
        {
            "task": printable(point.task),
            "group": printable(point.category),
            "wording": printable(point.instruction),
            "distance": point.distance,
            **({"distance_before": point.before} if moved else {}),
            change: shown_in.scale * point.degradation,
            **wording_keys(point.task, point.instruction),
        }
        for point in found.distances
        if point.degradation is not None
    ]
    if not rows:
        return None
    line = found.regression
    ends: list[Row] = []
    sentence = found.regression_reason or "There is no regression."
    if line is not None:
        places = [row["distance"] for row in rows]
        ends = [{"distance": at, change: line.intercept + line.slope * at} for at in (min(places), max(places))]
        sentence = (
            f"The regression's slope is {line.slope:+.2g} {short_difference_unit(shown_in)} a unit of distance "
            f"(95% interval {line.slope_low:+.2g} to {line.slope_high:+.2g}, p = {line.p_value:.2g}, n = {line.n})."
        )
    if moved:
        both = [(row["distance_before"], row["distance"]) for row in rows if row["distance_before"] is not None]
        nearer = sum(after < before for before, after in both)
        sentence += f" Hollow marks are distances before the adapter: {nearer} of {len(both)} are nearer with it."
    categories = list(dict.fromkeys(row["group"] for row in rows))
    return Chart(
        kind="distance",
        title=f"Change of {printable(shown_in.name)} by distance to the nearest observed wording",
        description=f"{len(rows)} unobserved wordings on their tasks. {sentence}",
        spec=_spec(found, categories, change, has_line=bool(ends), moved=moved),
        data={"distances": rows, "line": ends},
    )


def _spec(found: RepresentationMap, categories: list[str], change: str, *, has_line: bool, moved: bool) -> Spec:
    metric = score_metric(found.metric)
    x = {
        "field": "distance",
        "type": "quantitative",
        "scale": {"zero": False},
        "axis": {"title": f"mean l2 distance to the nearest observed wording{found.of_layer}"},
    }
    y = {
        "field": change,
        "type": "quantitative",
        "axis": {
            "title": printable(f"{metric.name} minus observed mean ({short_difference_unit(metric)})"),
            "grid": True,
        },
    }
    dots = {
        "data": {"name": "distances"},
        "mark": {"type": "point", "filled": True, "size": 55, "opacity": 0.8, "aria": False},
        "encoding": {
            "x": x,
            "y": y,
            "color": group_color(categories),
            "shape": group_shape(categories),
            "tooltip": tooltip(
                {
                    "wording": "wording",
                    "task": "task",
                    "distance": "distance",
                    **({"distance_before": "before the adapter"} if moved else {}),
                    change: f"change ({printable(short_difference_unit(metric))})",
                },
                decimals=("distance", "distance_before", change),
                number=".1f" if metric.unit == "%" else ".3g",
            ),
        },
    }
    line = {
        "data": {"name": "line"},
        "mark": {"type": "line", "strokeWidth": 2, "aria": False, "style": "mean"},
        "encoding": {"x": x, "y": y},
    }
    return {"height": 300, "layer": [*([line] if has_line else []), *(_trails(dots) if moved else []), dots]}


def _trails(dots: Spec) -> list[Spec]:
    """A hollow mark at a wording's place before the adapter, and a line from there to its present place."""
    encoding: Spec = dots["encoding"]
    before = {**encoding["x"], "field": "distance_before"}
    known = {"data": dots["data"], "transform": [{"filter": "isValid(datum.distance_before)"}]}
    return [
        {
            **known,
            "mark": {"type": "rule", "aria": False, "opacity": 0.45},
            "encoding": {
                "x": before,
                "x2": {"field": "distance"},
                **{name: encoding[name] for name in ("y", "color")},
            },
        },
        {
            **known,
            "mark": {"type": "point", "filled": False, "size": 40, "opacity": 0.7, "aria": False},
            "encoding": {**encoding, "x": before},
        },
    ]
