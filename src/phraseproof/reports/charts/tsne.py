"""A map of the model's representations of a task's prompts in two dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phraseproof.reports.build.text import printable
from phraseproof.reports.charts.chart import Chart, Row, Spec, group_color, group_shape, tooltip, wording_keys

if TYPE_CHECKING:
    from phraseproof.store.representations import RepresentationMap


def tsne(found: RepresentationMap, task: str, *, num_fewshot: int, method: str = "tsne") -> Chart | None:
    """A dot for each wording and example of one task; `None` where the task has no coordinates.

    Args:
        found: with points.
        task: whose points are drawn.
        num_fewshot: of the points.
        method: `tsne` or `pca`.
    """
    points = [p for p in found.points if (p.task, p.num_fewshot, p.method) == (task, num_fewshot, method)]
    if not points:
        return None
    groups = list(dict.fromkeys(printable(point.group) for point in points))
    rows: list[Row] = [
        {
            "group": printable(point.group),
            "wording": printable(point.instruction),
            "example": printable(point.example_id),
            "x": round(point.x, 4),
            "y": round(point.y, 4),
            **wording_keys(point.task, point.instruction),
        }
        for point in points
    ]
    wordings = len({point.instruction for point in points})
    name = {"tsne": "t-SNE", "pca": "PCA"}.get(method, method)
    return Chart(
        kind="tsne",
        title=f"{name} of representations{found.of_layer}: {printable(task)}",
        description=f"{len(rows)} dots: {wordings} wordings of {', '.join(groups)}, each with the same examples. "
        "Dots that lie together are similar to the model; the axes have no unit.",
        spec=_spec(groups),
        data={"points": rows},
    )


def _spec(groups: list[str]) -> Spec:
    axis = {"title": None, "labels": False, "ticks": False, "grid": False, "domain": False}
    return {
        "height": 340,
        "data": {"name": "points"},
        "mark": {"type": "point", "filled": True, "size": 22, "opacity": 0.7, "aria": False},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "scale": {"zero": False}, "axis": axis},
            "y": {"field": "y", "type": "quantitative", "scale": {"zero": False}, "axis": axis},
            "color": group_color(groups),
            "shape": group_shape(groups),
            "tooltip": tooltip({"wording": "wording", "group": "group", "example": "example"}),
        },
    }
