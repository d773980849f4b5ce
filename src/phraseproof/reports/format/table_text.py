"""Tables for people at a terminal, as wide as it is: side by side where that fits, one under the other where not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.classification import CONSTANT_FROM
from phraseproof.analysis.ranking import Mark, WordingRanking
from phraseproof.analysis.robustness import Row, Summary
from phraseproof.reports.build.answers import WordingAnswers, by_wording
from phraseproof.reports.build.numbers import NO_DATA, difference, legend, share_in_percent, spread, value_in_unit
from phraseproof.reports.build.run_tables import (
    RunScores,
    Screen,
    TaskTable,
    WordingTable,
    comparison_line,
    difference_name,
    ranking_title,
    rows_for_people,
    title,
)
from phraseproof.reports.build.text import printable
from phraseproof.reports.format.answers_text import baselines, constants
from phraseproof.reports.format.terminal import print_blocks

_MIN_NAME_WIDTH = 14
_NARROW = 60
_ROOM_FOR_CLASSES = 90
_WIDEST_ANSWER = 14
_CLASSES = "most chosen: share of the answer given most; F1: macro-F1; balanced: balanced accuracy; in percent"
_INDENT = "  "
_STYLES = {Mark.BEST: "green", Mark.WORST: "red"}


def render_tasks(tables: Sequence[TaskTable], screen: Screen) -> str:
    """For each run and number of demonstrations: a title, the table, the comparisons and the notes."""
    blocks: list[RenderableType] = []
    for table in tables:
        blocks += _heading(table)
        remark = legend(table.run.metric)
        if _fits(table, screen):
            blocks.append(_wide(table))
        elif _fits(table, screen, compact=True):
            remark = f"{legend(table.run.metric, with_counts=False)}; {_wording_counts(table.summary)}"
            blocks.append(_wide(table, compact=True))
        else:
            blocks.append(_stacked(table))
        blocks += [*baselines(table.answers, table.run.metric), Text(remark, style="dim")]
        blocks += [Text(printable(comparison_line(each, table.run.metric))) for each in table.comparisons]
        blocks += [Text(printable(f"Note: {note}"), style="yellow") for note in table.remarks]
        blocks.append(Text())
    return print_blocks(blocks, screen)


def render_wordings(tables: Sequence[WordingTable], screen: Screen) -> str:
    """For each task and group its wordings, best first, their texts cut to the screen's width."""
    blocks: list[RenderableType] = []
    for table in tables:
        blocks += _heading(table)
        answers = by_wording(table.answers)
        for ranking in table.rankings:
            blocks.append(Text(printable(ranking_title(ranking)), style="bold"))
            blocks += [_ranking(ranking, table.run, answers, screen), Text()]
        if lines := baselines(table.answers, table.run.metric):
            has_classes = any(not task.by_position for task in table.answers) and screen.width >= _ROOM_FOR_CLASSES
            blocks += [*lines, *([Text(_CLASSES, style="dim")] if has_classes else []), Text()]
        if table.run.notes:
            blocks += [*(Text(printable(f"Note: {note}"), style="yellow") for note in table.run.notes), Text()]
    return print_blocks(blocks, screen)


def _ranking(
    ranking: WordingRanking,
    run: RunScores,
    answers: Mapping[tuple[str, str, str], WordingAnswers],
    screen: Screen,
) -> Table:
    """One line per wording; which answers it gives, where that is known and there is room."""
    own = [answers.get((ranking.task, ranking.group, wording.score.instruction)) for wording in ranking.wordings]
    has_answers = screen.width >= _NARROW and any(own)
    has_classes = screen.width >= _ROOM_FOR_CLASSES and any(each and each.macro_f1 is not None for each in own)
    grid = Table(box=None, show_header=has_answers, padding=(0, 1, 0, 0), expand=True, header_style="dim")
    grid.add_column(no_wrap=True, min_width=5)
    grid.add_column(run.metric.unit, no_wrap=True, min_width=5, justify="right")
    if has_answers:
        grid.add_column("most chosen", no_wrap=True)
    if has_classes:
        grid.add_column("F1", no_wrap=True, justify="right")
        grid.add_column("balanced", no_wrap=True, justify="right")
    widest = max(cell_len(printable(wording.score.instruction)) for wording in ranking.wordings)
    if screen.width >= _NARROW:
        grid.add_column("wording", width=min(widest, screen.width // 3))
        grid.add_column("text", ratio=1)
    else:
        grid.add_column("wording", ratio=1)
    for wording, given in zip(ranking.wordings, own, strict=True):
        name = Text(printable(wording.score.instruction), overflow="fold")
        text = printable(run.text_of(wording.score) or "")
        shown = Text(text, style="dim", no_wrap=True, overflow="ellipsis")
        mark = wording.mark.value if wording.mark else ""
        style = _STYLES[wording.mark] if wording.mark else ""
        cells = [Text(mark, style=style), Text(value_in_unit(wording.score.mean_score, run.metric), style=style)]
        if has_answers:
            cells.append(_most_chosen(given))
        if has_classes:
            cells += [Text(_fraction(given and given.macro_f1)), Text(_fraction(given and given.balanced_accuracy))]
        grid.add_row(*cells, *([name, shown] if screen.width >= _NARROW else [Group(name, shown)]))
    return grid


def _most_chosen(given: WordingAnswers | None) -> Text:
    """`100% billing`, the name cut where it is long."""
    if given is None:
        return Text(NO_DATA)
    name = Text(printable(given.answer))
    name.truncate(_WIDEST_ANSWER, overflow="ellipsis")
    style = "yellow" if given.share >= CONSTANT_FROM else ""
    return Text.assemble(f"{100 * given.share:3.0f}% ", name, style=style)


def _fraction(value: float | None) -> str:
    return NO_DATA if value is None else share_in_percent(value)


def _heading(table: TaskTable | WordingTable) -> list[RenderableType]:
    """Constant answers come before every number: accuracies are those of the data's labels then."""
    return [
        Text(printable(title(table)), style="bold"),
        Text(printable(table.run.path), style="dim"),
        *([Text(printable(table.run.settings), style="dim")] if table.run.settings else []),
        *constants(table.answers),
    ]


def _wide(of: TaskTable, *, compact: bool = False) -> Table:
    """One line per row, one column per group and difference; `compact` without the numbers of wordings."""
    summary = of.summary
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(overflow="fold", min_width=_MIN_NAME_WIDTH)
    for heading in _headings(summary):
        table.add_column(Text(heading), justify="right", no_wrap=True)
    for row in rows_for_people(summary):
        if row.level is Level.OVERALL:
            table.add_section()
        style = "" if row.level is Level.TASK else "bold"
        table.add_row(Text(_name(row, summary)), *map(Text, _cells(row, of, compact=compact)), style=style)
    return table


def _stacked(of: TaskTable) -> Table:
    """One line per number, for screens on which the columns do not fit."""
    summary = of.summary
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", justify="right")
    for row in rows_for_people(summary):
        table.add_row(Text(_name(row, summary), style="bold"), Text())
        indent = _INDENT * (2 if _is_indented(row, summary) else 1)
        for heading, cell in zip(_headings(summary), _cells(row, of), strict=True):
            table.add_row(Text(indent + heading), Text(cell))
    return table


def _fits(of: TaskTable, screen: Screen, *, compact: bool = False) -> bool:
    summary = of.summary
    columns = [_headings(summary), *(_cells(row, of, compact=compact) for row in rows_for_people(summary))]
    widths = [max(map(cell_len, column)) for column in zip(*columns, strict=True)]
    padding = 2 * len(widths) + 1
    return _MIN_NAME_WIDTH + sum(widths) + padding <= screen.width


def _headings(summary: Summary) -> list[str]:
    later = summary.groups[1:]
    short = "difference" if len(later) == 1 else ""
    names = [*summary.groups, *(short or difference_name(summary, group) for group in later)]
    return [printable(name) for name in names]


def _wording_counts(summary: Summary) -> str:
    """`wordings of a task: 4 observed, 3 to 5 unobserved`."""
    parts: list[str] = []
    for group in summary.groups:
        counts = [row.groups[group].num_wordings for row in summary.tasks if group in row.groups]
        few, many = min(counts, default=0), max(counts, default=0)
        parts.append(f"{few if few == many else f'{few} to {many}'} {printable(group)}")
    return f"wordings of a task: {', '.join(parts)}"


def _cells(row: Row, of: TaskTable, *, compact: bool = False) -> list[str]:
    summary = of.summary
    found = [spread(row.groups.get(group), of.run.metric) for group in summary.groups]
    return [
        *(cell.partition(" (")[0] for cell in found if compact),
        *(cell for cell in found if not compact),
        *(difference(row.differences.get(group), of.run.metric) for group in summary.groups[1:]),
    ]


def _name(row: Row, summary: Summary) -> str:
    return (_INDENT if _is_indented(row, summary) else "") + printable(row.name)


def _is_indented(row: Row, summary: Summary) -> bool:
    return row.level is Level.TASK and len(summary.tasks) > 1
