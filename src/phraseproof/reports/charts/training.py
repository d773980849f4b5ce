"""How a training went: its losses step by step, and how the model did on held-out pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import cast

from phraseproof.reports.charts.chart import Chart, Row, Spec, group_color, tooltip

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
    names = list(dict.fromkeys(row["group"] for row in rows))
    parts: list[str] = []
    for name in names:
        values = [row["nats"] for row in rows if row["group"] == name]
        parts.append(f"{name} from {values[0]:.3g} to {values[-1]:.3g} nats")
    return Chart(
        kind="training",
        title="Training: loss by step",
        description=f"Steps {rows[0]['step']} to {max(row['step'] for row in rows)}: {'; '.join(parts)}.",
        spec=_spec(names),
        data={"losses": rows},
    )


def _spec(names: list[str]) -> Spec:
    held_out = set(_HELD_OUT.values())
    return {
        "height": 260,
        "data": {"name": "losses"},
        "mark": {"type": "line", "point": {"size": 16, "filled": True}, "strokeWidth": 1.6, "aria": False},
        "encoding": {
            "x": {"field": "step", "type": "quantitative", "axis": {"title": "step", "format": "d", "tickMinStep": 1}},
            "y": {"field": "nats", "type": "quantitative", "axis": {"title": "nats", "grid": True}},
            "color": group_color(names),
            "strokeDash": {
                "field": "group",
                "type": "nominal",
                "scale": {"domain": names, "range": [[4, 3] if name in held_out else [1, 0] for name in names]},
                "legend": None,
            },
            "tooltip": tooltip({"group": "", "step": "step", "nats": "nats"}),
        },
    }
