"""The causes of the spread over wordings: a stacked bar for each task whose wordings differ by more than chance."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.analysis.causes.sentence import cause_sentence
from phraseproof.analysis.causes.spread import SpreadCauses
from phraseproof.reports.build.causes import CAUSE_NAMES, shown_shares
from phraseproof.reports.build.text import printable
from phraseproof.reports.charts.chart import Chart, Row, Spec, group_color, tooltip

_ROW_HEIGHT = 34


def causes(tasks: Sequence[SpreadCauses]) -> Chart | None:
    """Bars of shares; `None` where no task has a spread beyond chance.

    A share below 0 has no bar, and the others are drawn to the same length; the data have all shares as they are.
    """
    shown = [task for task in tasks if task.is_beyond_chance]
    if not shown:
        return None
    names = shown_shares(shown)
    rows: list[Row] = []
    for task in shown:
        total = sum(max(0.0, task.shares[name].estimate) for name in names if name in task.shares)
        for place, name in enumerate(names):
            if name in task.shares:
                share = task.shares[name]
                rows.append(
                    {
                        "task": printable(task.task),
                        "cause": CAUSE_NAMES[name],
                        "share_percent": 100 * share.estimate,
                        "low_percent": _percent(share.low),
                        "high_percent": _percent(share.high),
                        "_length": 100 * max(0.0, share.estimate) / total,
                        "_order": place,
                    }
                )
    described = [f"{printable(task.task)}: {cause_sentence(task)}" for task in shown[:12]]
    return Chart(
        kind="causes",
        title="Shares of the spread over wordings",
        description=printable(" ".join(described)),
        spec=_spec([CAUSE_NAMES[name] for name in names], len(shown)),
        data={"shares": rows},
    )


def _spec(names: list[str], tasks: int) -> Spec:
    return {
        "height": _ROW_HEIGHT * tasks,
        "data": {"name": "shares"},
        "mark": {"type": "bar", "style": "square", "height": {"band": 0.6}, "aria": False},
        "encoding": {
            "x": {
                "field": "_length",
                "type": "quantitative",
                "stack": "zero",
                "scale": {"domain": [0, 100], "nice": False},
                "axis": {"title": "share of the variance (%)", "tickCount": 5},
            },
            "y": {"field": "task", "type": "nominal", "sort": None, "axis": {"title": None}},
            "order": {"field": "_order", "type": "quantitative"},
            "color": {**group_color(names), "field": "cause"},
            "tooltip": tooltip(
                {
                    "task": "task",
                    "cause": "cause",
                    "share_percent": "share (%)",
                    "low_percent": "95% interval from",
                    "high_percent": "to",
                },
                decimals=("share_percent", "low_percent", "high_percent"),
            ),
        },
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
