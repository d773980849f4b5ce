"""Tables as LaTeX, for documents that load booktabs (and longtable for tables by wording)."""

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
from phraseproof.reports.format.latex import PREAMBLE, escape, floating_table, long_table, row_line


def render_tasks(tables: Sequence[TaskTable], _screen: Screen) -> str:
    """A floating table with a caption for each run and number of demonstrations."""
    return PREAMBLE + "\n".join(_task_table(table) for table in tables)


def render_wordings(tables: Sequence[WordingTable], _screen: Screen) -> str:
    """A table that may run over pages for each run and number of demonstrations."""
    return PREAMBLE + "\n".join(_wording_table(table) for table in tables)


def _task_table(table: TaskTable) -> str:
    summary = table.summary
    later = summary.groups[1:]
    header = ["", *map(escape, summary.groups), *(escape(difference_name(summary, group)) for group in later)]
    caption = (
        ". ".join(
            [
                title(table),
                *([table.run.settings] if table.run.settings else []),
                *answer_lines(table.answers, table.run.metric),
                legend(table.run.metric),
                *(comparison_line(each, table.run.metric) for each in table.comparisons),
            ]
        )
        + "."
    )
    if table.remarks:
        caption += f" {_sentences(table.remarks)}"
    lines: list[str] = []
    for row in rows_for_people(summary):
        if row.level is not Level.TASK or len(summary.tasks) == 1:
            lines.append(r"\midrule")
        lines.append(row_line([_name(row, indent=len(summary.tasks) > 1), *_cells(row, table)]))
    return floating_table(caption, "l" + "r" * (len(header) - 1), header, lines)


def _wording_table(table: WordingTable) -> str:
    answers = by_wording(table.answers)
    known = ["most chosen"] if answers else []
    lines: list[str] = []
    for number, ranking in enumerate(table.rankings):
        if number:
            lines.append(r"\midrule")
        lines.append(rf"\multicolumn{{{4 + len(known)}}}{{l}}{{\textbf{{{escape(ranking_title(ranking))}}}}} \\")
        for wording in ranking.wordings:
            score = wording.score
            mark = wording.mark.value if wording.mark else ""
            text = table.run.text_of(score) or ""
            given = answer_cells(answers.get((ranking.task, ranking.group, score.instruction)))[: len(known)]
            lines.append(
                row_line(
                    [
                        mark,
                        value_in_unit(score.mean_score, table.run.metric),
                        *map(escape, given),
                        escape(score.instruction),
                        escape(text),
                    ]
                )
            )
    head = ". ".join([title(table), *([table.run.settings] if table.run.settings else []), "Best first."])
    caption = " ".join(filter(None, [head, _sentences(table.notes)]))
    header = ["", escape(table.run.metric.unit), *known, "wording", "text"]
    return long_table(caption, f"lr{'r' * len(known)}" + r"lp{0.5\linewidth}", header, lines)


def _sentences(notes: Sequence[str]) -> str:
    return " ".join(f"{note.removesuffix('.')}." for note in notes)


def _name(row: Row, *, indent: bool) -> str:
    name = escape(row.name)
    if row.level is not Level.TASK:
        return rf"\textbf{{{name}}}"
    return rf"\quad {name}" if indent else name


def _cells(row: Row, table: TaskTable) -> list[str]:
    summary, metric = table.summary, table.run.metric
    cells = [spread(row.groups.get(group), metric).replace("±", r"$\pm$") for group in summary.groups]
    for group in summary.groups[1:]:
        value = difference(row.differences.get(group), metric)
        cells.append(f"${value}$" if value.startswith(("+", "-")) else value)
    return cells
