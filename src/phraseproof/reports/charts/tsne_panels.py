"""One map of the model's representations for several benchmarks, with a panel for each (Figures 4 and 11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from phraseproof.reports.build.text import printable
from phraseproof.reports.charts.chart import Chart, Row, Spec, group_color, group_shape, tooltip

if TYPE_CHECKING:
    from phraseproof.store.representations import MapPoint

_ROW_HEIGHT = 260
_PANEL_WIDTH = 150
"""Pixels: the height of a panel, and the smallest width that shows its dots."""

_GAP, _TITLE, _MARGIN = 0.02, 0.09, 0.03
"""Shares of the place of a panel: around its frame, above it for its name, and between the frame and the dots."""


def tsne_panels(panels: Mapping[str, Sequence[MapPoint]], *, title: str) -> Chart:
    """A panel of dots for each name. All panels have the same axes: a place in two of them is the same place.

    Args:
        panels: points of one plane, by the name of their panel; at least one point.
        title: of the picture.
    """
    everywhere = [point for points in panels.values() for point in points]
    across, up = _Ends([point.x for point in everywhere]), _Ends([point.y for point in everywhere])
    columns = _columns(len(panels))
    lines = -(-len(panels) // columns)
    rows: list[Row] = []
    frames: list[Row] = []
    for number, (name, points) in enumerate(panels.items()):
        left, bottom = number % columns, lines - 1 - number // columns
        frames.append({
            "panel": printable(name),
            "_left": left + _GAP,
            "_right": left + 1 - _GAP,
            "_bottom": bottom + _GAP,
            "_top": bottom + 1 - _TITLE,
        })  # fmt: skip
        rows += [
            {
                "panel": printable(name),
                "group": printable(point.group),
                "wording": printable(point.instruction),
                "example": printable(point.example_id),
                "x": round(point.x, 4),
                "y": round(point.y, 4),
                "_across": left + across.place(point.x, _GAP, 1 - _GAP),
                "_up": bottom + up.place(point.y, _GAP, 1 - _TITLE),
            }
            for point in points
        ]
    groups = list(dict.fromkeys(str(row["group"]) for row in rows))
    return Chart(
        kind="tsne_panels",
        title=title,
        description=f"{len(rows)} dots in {len(panels)} panel{'s' * (len(panels) > 1)} "
        f"({printable(', '.join(panels))}) of {', '.join(groups)} wordings. Dots that lie together are similar to the "
        "model; the axes have no unit and are the same in every panel.",
        spec=_spec(groups, columns, lines),
        data={"points": rows, "panels": frames},
        min_width=_PANEL_WIDTH * columns,
    )


class _Ends:
    """The range of coordinates that the panels show."""

    def __init__(self, values: Sequence[float]) -> None:
        self.low, self.high = min(values), max(values)

    def place(self, value: float, start: float, end: float) -> float:
        """Where a coordinate is between both ends of a frame."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return start + _MARGIN + share * (end - start - 2 * _MARGIN)


def _columns(panels: int) -> int:
    """Panels side by side: four are a square."""
    return 2 if panels == 4 else min(panels, 3)


def _spec(groups: list[str], columns: int, lines: int) -> Spec:
    """One view in which panels are places: it fills the width of a page, which views next to each other do not."""

    def axis(field: str, end: int) -> Spec:
        return {"field": field, "type": "quantitative", "scale": {"domain": [0, end], "nice": False}, "axis": None}

    frames: Spec = {
        "x": axis("_left", columns),
        "x2": {"field": "_right"},
        "y": axis("_bottom", lines),
        "y2": {"field": "_top"},
    }
    frame = {"type": "rect", "filled": False, "style": "frame", "aria": False}
    name = {"type": "text", "align": "left", "baseline": "bottom", "dy": -4, "limit": _PANEL_WIDTH, "aria": False}
    dots: Spec = {
        "x": axis("_across", columns),
        "y": axis("_up", lines),
        "color": group_color(groups),
        "shape": group_shape(groups),
        "tooltip": tooltip({"wording": "wording", "group": "group", "example": "example", "panel": "panel"}),
    }
    names: Spec = {"x": frames["x"], "y": axis("_top", lines), "text": {"field": "panel"}}
    return {
        "height": _ROW_HEIGHT * lines,
        "data": {"name": "points"},
        "layer": [
            {"data": {"name": "panels"}, "mark": frame, "encoding": frames},
            {"data": {"name": "panels"}, "mark": name, "encoding": names},
            {"mark": {"type": "point", "filled": True, "size": 18, "opacity": 0.7, "aria": False}, "encoding": dots},
        ],
    }
