"""Does the gap between groups shrink with the model? Gap by number of parameters (Figure 2b)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from phraseproof.reports.build.numbers import p_value, short_difference_unit
from phraseproof.reports.build.text import printable, short_model_names
from phraseproof.reports.charts.chart import Chart, Row, Spec, group_color, group_shape, number_format, tooltip

if TYPE_CHECKING:
    from phraseproof.analysis.scaling import Scaling
    from phraseproof.scoring.metric import Metric


def scaling(found: Scaling, metric: Metric) -> Chart:
    """A dot for each task of each model on a logarithmic axis of parameters, and the regression line.

    Args:
        metric: what the scores of all models are in.
    """
    gap = "gap_percentage_points" if metric.unit == "%" else "gap"
    names = short_model_names(point.model for point in found.points)
    rows: list[Row] = [
        {
            "model": printable(names[point.model]),
            "group": printable(names[point.model]),
            "parameters": point.parameters,
            "task": printable(point.task),
            gap: metric.scale * point.gap,
        }
        for point in found.points
    ]
    sizes = [point.parameters for point in found.points]
    few, many = min(sizes), max(sizes)
    # The line is drawn through as many places as a curve needs: with `per_tenfold` false it bends on this axis.
    places = [few * (many / few) ** (step / 40) for step in range(41)]
    line: list[Row] = [{"parameters": at, gap: metric.scale * _line(found, at)} for at in places]
    slope = found.slope
    unit = "for ten times the parameters" if found.per_tenfold else "for each parameter"
    shown = printable(f"{metric.scale * slope.estimate:+.3g} {short_difference_unit(metric)} {unit}")
    if slope.low is not None and slope.high is not None:
        shown += f", 95% interval {metric.scale * slope.low:+.3g} to {metric.scale * slope.high:+.3g}"
    if slope.p_value is not None:
        shown += f", {p_value(slope.p_value)}"
    models = list(dict.fromkeys(row["model"] for row in rows))
    return Chart(
        kind="scaling",
        title="Gap between groups by model size",
        description=f"{len(models)} models, {slope.n} tasks in all. The gap changes by {shown}; "
        f"R² is {found.r_squared:.2f}.",
        spec=_spec(models, few, many, gap, metric),
        data={"tasks": rows, "line": line},
    )


def _line(found: Scaling, parameters: float) -> float:
    size = math.log10(parameters) if found.per_tenfold else parameters
    return found.intercept + found.slope.estimate * size


def _spec(models: list[str], few: int, many: int, gap: str, metric: Metric) -> Spec:
    unit = printable(short_difference_unit(metric))
    x = {
        "field": "parameters",
        "type": "quantitative",
        "scale": {"type": "log", "domain": [few / 1.3, many * 1.3], "nice": False},
        "axis": {"title": "parameters", "format": "~s", "tickCount": 6},
    }
    y = {
        "field": gap,
        "type": "quantitative",
        "axis": {"title": f"gap between groups ({unit})", "grid": True},
    }
    line = {
        "data": {"name": "line"},
        "mark": {"type": "line", "style": "mean", "strokeWidth": 2, "aria": False},
        "encoding": {"x": x, "y": y},
    }
    dots = {
        "data": {"name": "tasks"},
        "mark": {"type": "point", "filled": True, "size": 55, "style": "dot", "aria": False},
        "encoding": {
            "x": x,
            "y": y,
            "color": group_color(models),
            "shape": group_shape(models),
            "tooltip": tooltip(
                {
                    "model": "model",
                    "task": "task",
                    "parameters": "parameters",
                    gap: f"gap ({unit})",
                },
                decimals=(gap,),
                number=number_format(metric),
            ),
        },
    }
    return {"height": 280, "layer": [line, dots]}
