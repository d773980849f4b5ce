"""A comparison for people at a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.paired import WordingComparison
from phraseproof.core import Finding
from phraseproof.reports.build.compare import ComparisonReport, direction_words
from phraseproof.reports.build.numbers import (
    NO_DATA,
    difference_in_unit,
    short_difference_unit,
    unit_name,
    value_in_unit,
)
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.build.text import printable
from phraseproof.reports.format.terminal import print_blocks
from phraseproof.scoring.metric import Metric

_WIDE = 76
_SHOWN = 10


def render(comparisons: Sequence[ComparisonReport], screen: Screen) -> str:
    """For each number of demonstrations: the first sentence, the table, the wordings that changed, and the notes."""
    blocks: list[RenderableType] = []
    for found in comparisons:
        shots = f"{found.num_fewshot}-shot"
        blocks.append(Text(f"before  {printable(found.before.model)}, {shots}  ({printable(found.before.path)})"))
        blocks.append(Text(f"after   {printable(found.after.model)}, {shots}  ({printable(found.after.path)})"))
        blocks += [*_settings(found), Text()]
        if found.answers:
            blocks += [*(_answers(line, found) for line in found.answers), Text()]
        for number, sentence in enumerate(found.sentences):
            blocks.append(Text(sentence, style="bold" if number == 0 else ""))
        blocks += [Text(), _lines(found, screen), Text()]
        for name, changed, style in (("Better", found.better, "green"), ("Worse", found.worse, "red")):
            if changed:
                blocks += [
                    Text(f"{name}, beyond chance", style=f"bold {style}"),
                    _changed(changed, found.metric, screen),
                ]
                if len(changed) > _SHOWN:
                    blocks.append(Text(f"and {len(changed) - _SHOWN} more (--json has all)", style="dim"))
                blocks.append(Text())
        units = f"{unit_name(found.metric)}; differences in {short_difference_unit(found.metric)}"
        legend = f"{units}, after minus before, with 95% intervals"
        blocks.append(Text(printable(legend), style="dim"))
        blocks.append(Text(printable(found.top.finding.method), style="dim"))
        if found.over_tasks_line:
            blocks.append(Text(printable(found.over_tasks_line)))
        blocks += [Text(printable(f"Note: {note}"), style="yellow") for note in found.notes]
        blocks.append(Text())
    return print_blocks(blocks, screen)


def _answers(line: str, found: ComparisonReport) -> Text:
    return Text(printable(line), style="bold yellow" if line in found.warnings else "")


def _settings(found: ComparisonReport) -> list[RenderableType]:
    """What both runs were made with, and what differs between them."""
    own = dict.fromkeys(filter(None, (found.before.settings, found.after.settings)))
    sides = (("before", found.before.settings), ("after", found.after.settings))
    lines = list(own) if len(own) == 1 else [f"{name}: {line}" for name, line in sides if line]
    named = [Text(printable(line), style="dim") for line in lines]
    if not found.differing:
        return [*named, Text(found.settings_line, style="dim")]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("settings that differ", "before", "after"):
        table.add_column(heading, overflow="fold")
    for each in found.differing:
        table.add_row(*(Text(printable("none" if cell is None else cell)) for cell in each))
    return [*named, Text(), table]


def _lines(found: ComparisonReport, screen: Screen) -> Table:
    lines, metric = found.lines, found.metric
    wide = screen.width >= _WIDE
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(overflow="fold", min_width=12)
    for heading in ("before", "after", "difference"):
        table.add_column(heading, justify="right", no_wrap=True)
    if wide:
        table.add_column("95% interval", justify="right", no_wrap=True)
        table.add_column("p", justify="right", no_wrap=True)
    tasks = sum(line.level is Level.TASK and not line.group for line in lines)
    for line in lines:
        if line.level is Level.OVERALL and not line.group:
            table.add_section()
        indent = "  " if line.group or (line.level is Level.TASK and tasks > 1) else ""
        name = f"{indent}{printable(line.group or line.name)}"
        interval = _interval(line.finding, metric)
        cells = [
            value_in_unit(line.before, metric),
            value_in_unit(line.after, metric),
            difference_in_unit(line.finding.estimate, metric),
        ]
        shown = [
            Text(cell, style=_style(line.finding, metric)) if n == 2 else Text(cell) for n, cell in enumerate(cells)
        ]
        if wide:
            shown += [Text(interval), Text(_p(line.finding.p_value))]
        label: RenderableType = Text(name)
        if not wide and interval:
            label = Group(Text(name), Text(f"{indent}  {interval}", style="dim"))
        bold = line.level is not Level.TASK and not line.group
        table.add_row(label, *shown, style="bold" if bold else "")
    return table


def _changed(changed: Sequence[WordingComparison], metric: Metric, screen: Screen) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    for justify in ("right", "right", "right"):
        table.add_column(justify=justify, no_wrap=True)
    table.add_column(overflow="fold")
    for each in changed[:_SHOWN]:
        where = f"{printable(each.instruction)} on {printable(each.task)}"
        p = "" if screen.width < _WIDE else f" (p {_p(each.p_holm)} after Holm)"
        table.add_row(
            Text(f"  {value_in_unit(each.before, metric)}"),
            Text(f"to {value_in_unit(each.after, metric)}"),
            Text(difference_in_unit(each.after - each.before, metric), style="bold"),
            Text(where + p),
        )
    return table


def _style(finding: Finding, metric: Metric) -> str:
    return {"Better.": "green", "Worse.": "red"}.get(direction_words(finding, metric), "")


def _interval(finding: Finding, metric: Metric) -> str:
    if finding.low is None or finding.high is None:
        return ""
    return f"{difference_in_unit(finding.low, metric)} to {difference_in_unit(finding.high, metric)}"


def _p(value: float | None) -> str:
    if value is None:
        return NO_DATA
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
