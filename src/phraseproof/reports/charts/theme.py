"""Colours and letters of charts, light and dark, and the whole specification of a chart at a size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from phraseproof.reports.charts.chart import Chart, Spec

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
VEGA_LITE = "6.4"
"""The version of Vega-Lite that draws the charts, on paper and in the page."""

# Distinguishable with red-green colour blindness; the contrast with the background is at least 3 to 1.
_LIGHT = ["#1f6fb2", "#c2410c", "#0f7b5f", "#8a3ffc", "#9f1853", "#6b7280"]
_DARK = ["#6cb6ff", "#ff9d5c", "#43c79e", "#c3a1ff", "#ff7eb6", "#a9b1bd"]
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def config(*, dark: bool = False, print_: bool = False) -> Spec:
    """Vega-Lite's `config` for one theme.

    Args:
        print_: white paper and a font that renders the same on every machine.
    """
    ink, soft, line = ("#e6e9ee", "#b3bbc6", "#39414d") if dark else ("#1b1f24", "#50586a", "#d8dce3")
    paper = "#14181f" if dark else "white"
    palette = _DARK if dark else _LIGHT
    font = "Liberation Sans, Arial, sans-serif" if print_ else _FONT
    text = {"labelColor": ink, "titleColor": soft, "labelFont": font, "titleFont": font}
    sizes = {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
    return {
        "background": "white" if print_ else "transparent",
        "font": font,
        "view": {"stroke": None},
        "range": {"category": palette},
        "mark": {"color": palette[0]},
        "axis": {**text, **sizes, "gridColor": line, "domainColor": line, "tickColor": line, "labelLimit": 190},
        "axisY": {"domain": False, "ticks": False, "labelPadding": 8},
        "legend": {**text, **sizes, "labelLimit": 0, "symbolSize": 70, "symbolOpacity": 1},
        "text": {"color": ink, "font": font, "fontSize": 12},
        "rule": {"color": soft},
        "title": {"color": ink, "font": font},
        "style": {
            "mean": {"stroke": ink, "fill": ink, "color": ink},
            "zero": {"stroke": soft, "strokeDash": [3, 3]},
            "chance": {"stroke": soft, "strokeDash": [4, 3], "strokeWidth": 1.5},
            "count": {"fill": soft, "fontSize": 10},
            "dot": {"stroke": paper, "strokeWidth": 0.8, "opacity": 0.9},
            "square": {"stroke": paper, "strokeWidth": 0.6},
            "frame": {"color": line, "stroke": line, "strokeWidth": 1},
        },
    }


def whole_spec(chart: Chart, *, width: int | str, theme: Mapping[str, Any]) -> Spec:
    """The chart's specification with its data, width (pixels, or `container`) and colours: ready to be drawn."""
    return {
        "$schema": SCHEMA,
        "description": chart.description,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "datasets": {name: list(rows) for name, rows in chart.data.items()},
        **chart.spec,
        "width": width,
        "config": dict(theme),
    }
