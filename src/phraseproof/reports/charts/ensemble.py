"""Accuracy against cost: what ensembles of wordings give for each number of calls, with bands of their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phraseproof.analysis.ensemble_points import NONE, EnsembleCurve, EnsemblePoint
from phraseproof.reports.build.ensembles import conclusion
from phraseproof.reports.build.text import printable
from phraseproof.reports.charts.chart import Chart, Row, Spec, group_color, group_shape, tooltip

if TYPE_CHECKING:
    from phraseproof.reports.build.ensembles import EnsembleReport


def ensemble(report: EnsembleReport, curve: EnsembleCurve) -> Chart:
    """Lines of wordings at random and of wordings chosen one by one, calibrated or not, on an axis of calls per answer.

    Args:
        curve: one of the report's.
    """
    rows = [row for point in curve.points for row in _rows(point)]
    ways = list(dict.fromkeys(str(row["group"]) for row in rows))
    spread = "; of any wordings, for one random choice"
    return Chart(
        kind="ensemble",
        title=printable(f"{curve.name}: accuracy of ensembles by calls per answer"),
        description=printable(
            f"{curve.wordings} wordings, {curve.examples:,} examples. {conclusion(curve)} Bands are 95% intervals over "
            f"examples{spread}. {report.baseline(curve)}".strip()
        ),
        spec=_spec(ways),
        data={"ensembles": rows},
    )


def _rows(point: EnsemblePoint) -> list[Row]:
    """The point in its line; those of one wording and of all wordings belong to several."""
    lines = {"random": ["any"], "best": ["chosen"] if point.size == 1 else [], "greedy": ["chosen"]}
    return [
        {
            "group": line if point.calibration == NONE else f"{line}, calibrated",
            "calls": point.calls,
            "tokens": point.tokens,
            "accuracy_percent": 100 * point.accuracy.estimate,
            "low": None if point.accuracy.low is None else 100 * point.accuracy.low,
            "high": None if point.accuracy.high is None else 100 * point.accuracy.high,
        }
        for line in lines.get(point.way, ["any", "chosen"])
    ]


def _spec(ways: list[str]) -> Spec:
    x = {
        "field": "calls",
        "type": "quantitative",
        "scale": {"type": "log", "nice": False, "padding": 12},
        "axis": {"title": "calls per answer", "format": "~f", "grid": False, "values": [1, 2, 3, 5, 10, 20, 50, 100]},
    }
    y = {
        "field": "accuracy_percent",
        "type": "quantitative",
        "scale": {"zero": False},
        "axis": {"title": "accuracy (%)", "grid": True},
    }
    color = group_color(ways)
    band = {
        "data": {"name": "ensembles"},
        "mark": {"type": "area", "opacity": 0.12, "aria": False},
        "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": color},
    }
    line = {
        "data": {"name": "ensembles"},
        "mark": {"type": "line", "strokeWidth": 2, "aria": False},
        "encoding": {"x": x, "y": y, "color": color},
    }
    shown = {"group": "wordings", "calls": "calls", "accuracy_percent": "accuracy (%)", "low": "from", "high": "to"}
    dots = {
        "data": {"name": "ensembles"},
        "mark": {"type": "point", "filled": True, "size": 60, "aria": False},
        "encoding": {
            "x": x,
            "y": y,
            "color": color,
            "shape": group_shape(ways),
            "tooltip": tooltip(shown, decimals=("accuracy_percent", "low", "high")),
        },
    }
    return {"height": 280, "layer": [band, line, dots]}
