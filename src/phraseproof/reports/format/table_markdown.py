"""Tables as GitHub-flavoured Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.robustness import Row
from phraseproof.reports.build.answers import answer_cells, answer_lines, by_wording
from phraseproof.reports.build.numbers import difference, legend, spread, value_in_unit
from phraseproof.reports.build.run_tables import (
    Screen,
    TaskTable,
    WordingTable,
    comparison_line,
    difference_name,
    ranking_title,
    rows_for_people,
    title,
)
from phraseproof.reports.format.markdown import escape, table_lines


def render_tasks(tables: Sequence[TaskTable], _screen: Screen) -> str:
    """A heading, a table, and the comparisons and notes as a list, for each run and number of demonstrations."""
    return "\n".join(_task_table(table) for table in tables)


def render_wordings(tables: Sequence[WordingTable], _screen: Screen) -> str:
    """A heading for each run and number of demonstrations, and a table for each task and group."""
    return "\n".join(_wording_table(table) for table in tables)


def _task_table(table: TaskTable) -> str:
    summary = table.summary
    later = summary.groups[1:]
    header = ["", *map(escape, summary.groups), *(escape(difference_name(summary, group)) for group in later)]
    lines = _head(table)
    lines += table_lines(
        header, ([_name(row), *_cells(row, table)] for row in rows_for_people(summary)), right=range(1, len(header))
    )
    remarks = [
        *answer_lines(table.answers, table.run.metric),
        legend(table.run.metric),
        *(comparison_line(each, table.run.metric) for each in table.comparisons),
        *table.remarks,
    ]
    lines += ["", *(f"- {escape(remark)}" for remark in remarks)]
    return "\n".join(lines) + "\n"


def _wording_table(table: WordingTable) -> str:
    lines = _head(table)
    answers = by_wording(table.answers)
    known = ["most chosen", "macro-F1", "balanced accuracy"] if answers else []
    for ranking in table.rankings:
        lines += [f"**{escape(ranking_title(ranking))}**", ""]
        rows = (
            [
                wording.mark.value if wording.mark else "",
                value_in_unit(wording.score.mean_score, table.run.metric),
                *map(
                    escape,
                    answer_cells(answers.get((ranking.task, ranking.group, wording.score.instruction)))[: len(known)],
                ),
                escape(wording.score.instruction),
                escape(table.run.text_of(wording.score) or ""),
            ]
            for wording in ranking.wordings
        )
        lines += table_lines(
            ["", escape(table.run.metric.unit), *known, "wording", "text"], rows, right=range(1, 2 + len(known))
        )
        lines.append("")
    lines += [f"- {escape(note)}" for note in table.notes]
    return "\n".join(lines)


def _head(table: TaskTable | WordingTable) -> list[str]:
    settings = f"; {escape(table.run.settings)}" if table.run.settings else ""
    return [f"### {escape(title(table))}", "", f"Run: {escape(table.run.path)}{settings}", ""]


def _name(row: Row) -> str:
    name = escape(row.name)
    return name if row.level is Level.TASK else f"**{name}**"


def _cells(row: Row, table: TaskTable) -> list[str]:
    summary, metric = table.summary, table.run.metric
    return [
        *(spread(row.groups.get(group), metric) for group in summary.groups),
        *(difference(row.differences.get(group), metric) for group in summary.groups[1:]),
    ]
