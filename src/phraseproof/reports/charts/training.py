"""How a training went: its losses step by step, and how the model did on held-out pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import cast

from phraseproof.reports.charts.chart import Chart, Row, Spec, group_color, tooltip

_HEIGHT = 260
"""Pixels."""

_LOSSES = {"loss": "training loss", "ce": "cross-entropy (training)", "kl": "KL (training)"}
_HELD_OUT = {"loss": "held-out loss", "ce": "cross-entropy (held out)", "kl": "KL (held out)"}


def training(steps: Sequence[Mapping[str, object]]) -> Chart | None:
    """Lines of loss by step, from the lines of `training.jsonl`; `None` where nothing was logged."""
    rows: list[Row] = []
    for names, part in ((_LOSSES, None), (_HELD_OUT, "held_out")):
        for key, name in names.items():
            for step in steps:
                values: object = step if part is None else step.get(part)
                value: object = cast("Mapping[str, object]", values).get(key) if isinstance(values, Mapping) else None
                if isinstance(value, int | float) and math.isfinite(value):  # a training that diverged logs NaN
                    rows.append({"step": step["step"], "group": name, "nats": value})
    if not rows:
        return None
    return Chart(
        kind="training",
        title="Training: loss by step",
        description=f"Steps {rows[0]['step']} to {max(row['step'] for row in rows)}: {loss_changes(rows)}.",
        spec=_spec(list(dict.fromkeys(row["group"] for row in rows))),
        data={"losses": rows},
    )


def loss_changes(rows: Sequence[Row]) -> str:
    """The first and the last loss of each line: `training loss from 2 to 0.5 nats; ...`.

    Args:
        rows: each with `group`, the line's name, and `nats`; those of a line in order.
    """
    lines: dict[str, list[float]] = {}
    for row in rows:
        lines.setdefault(row["group"], []).append(row["nats"])
    return "; ".join(f"{name} from {values[0]:.3g} to {values[-1]:.3g} nats" for name, values in lines.items())


def loss_lines(names: Sequence[str], *, over: str, axis: str, zero: bool = True) -> Spec:
    """A line for each name, in the data `losses`: rows as for `loss_changes`.

    Args:
        names: in the order of the legend.
        over: the field of the horizontal axis, and its title: `step` or `epoch`.
        axis: the title of the vertical axis.
        zero: that axis begins at 0.
    """
    return {
        "height": _HEIGHT,
        "data": {"name": "losses"},
        "mark": {"type": "line", "point": {"size": 16, "filled": True}, "strokeWidth": 1.6, "aria": False},
        "encoding": {
            "x": {"field": over, "type": "quantitative", "axis": {"title": over, "format": "d", "tickMinStep": 1}},
            "y": {
                "field": "nats",
                "type": "quantitative",
                "scale": {"zero": zero},
                "axis": {"title": axis, "grid": True},
            },
            "color": group_color(names),
            "tooltip": tooltip({"group": "", over: over, "nats": "nats"}),
        },
    }


def _spec(names: list[str]) -> Spec:
    held_out = set(_HELD_OUT.values())
    spec = loss_lines(names, over="step", axis="nats")
    spec["encoding"]["strokeDash"] = {
        "field": "group",
        "type": "nominal",
        "scale": {"domain": names, "range": [[4, 3] if name in held_out else [1, 0] for name in names]},
        "legend": None,
    }
    return spec
