"""Components of variance for people at a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from phraseproof.analysis.facets.run import RunFacets
from phraseproof.analysis.facets.sentence import effort_counts, effort_sentence
from phraseproof.reports.build.facets import FacetsReport, FacetTable, facet_tables, legend
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.build.text import printable
from phraseproof.reports.format.terminal import print_blocks
from phraseproof.scoring.metric import Metric

_FEW = 2
"""Tasks and groups whose tables an analysis shows without being asked for them."""

_COLUMNS = 2
"""Numbers of demonstrations next to each other in a terminal of 100 columns."""


def render(reports: Sequence[FacetsReport], screen: Screen) -> str:
    """For each run, task and group: the components by number of demonstrations, and where extra effort should go."""
    blocks: list[RenderableType] = []
    for report in reports:
        blocks.append(Text(printable(f"{report.model}, scoring {report.scoring}"), style="bold"))
        blocks.append(Text(printable(report.path), style="dim"))
        blocks += [Text(printable(report.settings), style="dim")] if report.settings else []
        blocks += [Text(), *facet_blocks(report.facets, report.metric), Text()]
    return print_blocks(blocks, screen)


def facet_blocks(found: RunFacets, metric: Metric) -> list[RenderableType]:
    """A table for each task and group with its sentences, then what is missing."""
    blocks: list[RenderableType] = []
    for table in facet_tables(found.tasks):
        blocks.append(Text(printable(table.title), style="bold"))
        for start in range(0, len(table.headings), _COLUMNS):
            blocks += [_table(table, start), Text()]
        for task in table.tasks:
            line = f"{task.design.num_fewshot}-shot: {effort_sentence(task)}"
            blocks.append(Padding(Text(printable(line)), (0, 0, 0, 2), expand=False))
        blocks.append(Text())
    if found.tasks:
        blocks += [Text(printable(legend(metric)), style="dim")]
    return [*blocks, *(Text(printable(note), style="yellow") for note in found.notes)]


def facet_summary(found: RunFacets, metric: Metric, *, by_task: bool) -> list[RenderableType]:
    """The components below a heading, of runs with several draws or orders; of many tasks a line."""
    if not found.has_draws:
        return []
    heading = Text("Where scores differ: wordings, draws and examples", style="bold")
    if by_task or len(found.tasks) <= _FEW:
        return [heading, *facet_blocks(found, metric), Text()]
    line = f"{effort_counts(found)} --by-task and `table --facets` show each task."
    notes = (Text(printable(note), style="yellow") for note in found.notes)
    return [heading, Padding(Text(line), (0, 0, 0, 2)), *notes, Text()]


def _table(of: FacetTable, start: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(overflow="fold")
    shown = slice(start, start + _COLUMNS)
    for heading in of.headings[shown]:
        table.add_column(heading, justify="right")
    for name, cells in of.rows:
        if any(cells[shown]):
            table.add_row(name, *map(Text, cells[shown]))
    return table
