"""The effects of calibration for people at a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from phraseproof.analysis.calibration_effects import STATISTICS, Effect
from phraseproof.core import Finding
from phraseproof.reports.build.calibration import effect_lines
from phraseproof.reports.build.numbers import NO_DATA, difference_in_unit, value_in_unit
from phraseproof.reports.build.text import printable
from phraseproof.reports.format.terminal import print_blocks
from phraseproof.scoring.accuracy import METRIC as ACCURACY

if TYPE_CHECKING:
    from phraseproof.reports.build.run_tables import Screen

_HEADINGS = ("accuracy", "Std", "worst wording", "gain")
_LEGEND = "percent, with 95% intervals over wordings and examples; gain in percentage points, after minus before"


def render(effects: Sequence[Effect], title: Sequence[str], screen: Screen) -> str:
    """A table per task: a row for the log-probabilities as they were stored, and a row per method.

    Args:
        effects: of one or several methods.
        title: the first lines: the model and the run.
        screen: its width and colours.
    """
    blocks: list[RenderableType] = [Text(printable(line)) for line in title]
    for name, shots in dict.fromkeys((effect.name, effect.num_fewshot) for effect in effects):
        rows = [effect for effect in effects if (effect.name, effect.num_fewshot) == (name, shots)]
        blocks += [Text(), Text(printable(f"{name}, {shots}-shot"), style="bold"), _table(rows)]
    results = [Text(printable(line)) for line in effect_lines(effects)]
    return print_blocks([*blocks, Text(), Text(_LEGEND, style="dim"), Text(), *results], screen)


def _table(rows: Sequence[Effect]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("", overflow="fold", min_width=14)
    for heading in _HEADINGS:
        table.add_column(heading, justify="right")
    table.add_row("as stored", *_cells(rows[0].before), "")
    for row in rows:
        style = _style(row.gain)
        table.add_row(row.method, *_cells(row.after), Text(_gain(row.gain), style=style))
    return table


def _cells(findings: Mapping[str, Finding]) -> list[str]:
    return [_value(findings.get(name)) for name in STATISTICS]


def _value(finding: Finding | None) -> str:
    if finding is None:
        return NO_DATA
    text = value_in_unit(finding.estimate, ACCURACY)
    if finding.low is None or finding.high is None:
        return text
    return f"{text} [{value_in_unit(finding.low, ACCURACY)}, {value_in_unit(finding.high, ACCURACY)}]"


def _gain(finding: Finding) -> str:
    text = difference_in_unit(finding.estimate, ACCURACY)
    if finding.low is None or finding.high is None:
        return text
    return f"{text} [{difference_in_unit(finding.low, ACCURACY)}, {difference_in_unit(finding.high, ACCURACY)}]"


def _style(finding: Finding) -> str:
    if finding.low is not None and finding.low > 0:
        return "green"
    return "red" if finding.high is not None and finding.high < 0 else ""
