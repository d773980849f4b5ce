"""Losses by epoch (Figure 9): a line for each model and set of validation data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from phraseproof.reports.build.text import printable
from phraseproof.reports.charts.chart import Chart, Row, Spec, group_color, tooltip

_HEIGHT = 260
"""Pixels."""


class EpochLoss(NamedTuple):
    """The loss of one line after an epoch.

    Attributes:
        line: what the loss is of, such as a model or a group of wordings.
        epoch: the number of passes through the training data, 0 before training; it may be a fraction.
        loss: in nats per token.
    """

    line: str
    epoch: float
    loss: float


def losses_by_epoch(points: Sequence[EpochLoss], *, title: str) -> Chart:
    """A line for each `line`, in the order in which they come.

    Args:
        points: at least one.
        title: what is shown, in a few words.
    """
    rows: list[Row] = [
        {"epoch": point.epoch, "group": printable(point.line), "nats": point.loss}
        for point in sorted(points, key=lambda point: point.epoch)
    ]
    names = list(dict.fromkeys(printable(point.line) for point in points))
    parts: list[str] = []
    for name in names:
        values = [row["nats"] for row in rows if row["group"] == name]
        parts.append(f"{name} from {values[0]:.3g} to {values[-1]:.3g} nats")
    return Chart(
        kind="losses-by-epoch",
        title=printable(title),
        description=f"Epochs {rows[0]['epoch']:g} to {rows[-1]['epoch']:g}: {'; '.join(parts)}.",
        spec=_spec(names),
        data={"losses": rows},
    )


def _spec(names: list[str]) -> Spec:
    return {
        "height": _HEIGHT,
        "data": {"name": "losses"},
        "mark": {"type": "line", "point": {"size": 16, "filled": True}, "strokeWidth": 1.6, "aria": False},
        "encoding": {
            "x": {"field": "epoch", "type": "quantitative", "axis": {"title": "epoch", "tickMinStep": 1}},
            "y": {
                "field": "nats",
                "type": "quantitative",
                "scale": {"zero": False},
                "axis": {"title": "cross-entropy (nats)", "grid": True},
            },
            "color": group_color(names),
            "tooltip": tooltip({"group": "", "epoch": "epoch", "nats": "nats"}),
        },
    }
