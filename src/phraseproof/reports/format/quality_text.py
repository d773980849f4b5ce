"""Measures of answers other than accuracy, as a table for people at a terminal."""

from __future__ import annotations

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from phraseproof.analysis.answer_quality import MEASURES, UNITS, GroupQuality
from phraseproof.analysis.results import format_value
from phraseproof.analysis.statistics import StatisticsRow
from phraseproof.core import Finding
from phraseproof.reports.build.quality import CONSISTENCY, QUALITY_LABELS, RunQuality, consistency
from phraseproof.reports.build.text import printable


def quality_table(found: RunQuality, row: StatisticsRow) -> list[RenderableType]:
    """Mean ± Std over wordings and the 95% interval of every measure, for each group of a row."""
    quality = found.find(row.level, row.name)
    if quality is None:
        return []
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("mean ± Std", overflow="fold")
    for group in quality.groups:
        table.add_column(Text(printable(group)), justify="right", overflow="fold")
    for name in MEASURES:
        if any(name in group.findings for group in quality.groups.values()):
            cells = [_cell(name, group) for group in quality.groups.values()]
            table.add_row(Text(QUALITY_LABELS[name]), *map(Text, cells))
    agree = {group: row.groups[group].findings.get("pairwise_flips") for group in quality.groups if group in row.groups}
    if any(agree.values()):
        cells = [_agreement(agree.get(group)) for group in quality.groups]
        table.add_row(Text(QUALITY_LABELS[CONSISTENCY]), *map(Text, cells))
    return [table, Text()]


def _cell(name: str, group: GroupQuality) -> str:
    found = group.findings.get(name)
    if found is None:
        return ""
    unit, scale = UNITS[name]
    std = group.stds.get(name)
    spread = "" if std is None else f" ± {format_value(scale * std, unit)}"
    return _interval(found, unit, scale, spread)


def _agreement(pairwise_flips: Finding | None) -> str:
    return "" if pairwise_flips is None else _interval(consistency(pairwise_flips), "%", 100.0)


def _interval(found: Finding, unit: str, scale: float, spread: str = "") -> str:
    shown = f"{format_value(scale * found.estimate, unit)}{spread}"
    if found.low is None or found.high is None:
        return shown
    return f"{shown} [{format_value(scale * found.low, unit)}, {format_value(scale * found.high, unit)}]"
