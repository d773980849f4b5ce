"""Tables of one or several runs, in every format that `phraseproof table` writes."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from phraseproof.errors import UsageError
from phraseproof.reports.build.run_tables import RunScores, Screen, TaskTable, WordingTable, task_tables, wording_tables
from phraseproof.reports.build.runs import EstimatedRun, TableSource
from phraseproof.reports.build.text import printable


class TableFormat(StrEnum):
    """What a table is written as."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"
    LATEX = "latex"


class By(StrEnum):
    """What a row of a table is about."""

    TASK = "task"
    WORDING = "wording"


class Rendered(NamedTuple):
    """A table's text, ending with a newline, and remarks that its format has no place for."""

    text: str
    warnings: tuple[str, ...]


class Format(Protocol):
    """What a module that writes one format offers. A new format is such a module and a line in `_module`."""

    def render_tasks(self, tables: Sequence[TaskTable], screen: Screen, /) -> str:
        """Tables by task, ending with a newline."""
        ...

    def render_wordings(self, tables: Sequence[WordingTable], screen: Screen, /) -> str:
        """Tables by wording, ending with a newline."""
        ...


def render(
    runs: Sequence[TableSource],
    *,
    form: TableFormat = TableFormat.TEXT,
    by: By = By.TASK,
    group_order: Sequence[str] = (),
    screen: Screen | None = None,
) -> Rendered:
    """One table for each run and number of demonstrations, one after the other; estimates first.

    Args:
        runs: what is shown, in this order.
        form: text for people at a terminal; json and csv for programs (percent in full precision, nulls and empty
            fields where there is not enough data); markdown and latex (booktabs; longtable by wording) for documents.
        by: task for the paper's Table 3, wording for each wording's score with its text.
        group_order: groups of wordings to put first; the first is what the others are compared with.
        screen: where text is shown; 100 columns without colour by default.

    Raises:
        NotEnoughDataError: a run has no finished cells.
        UsageError: `group_order` names a group that no run has, or one twice; or runs with and without a budget in a
            format that holds one document.
        RunError: scores that no aggregate could be trusted over.
    """
    estimated = [run for run in runs if isinstance(run, EstimatedRun)]
    scored = [run for run in runs if isinstance(run, RunScores)]
    if estimated and scored and form is not TableFormat.TEXT:
        raise UsageError(
            f"runs with and without a budget cannot be in one {form} document",
            got=f"{estimated[0].path} and {scored[0].path}",
            hint="Write them one by one",
        )
    place = screen or Screen()
    parts: list[Rendered] = []
    if estimated:
        from phraseproof.reports.format.estimates import render_estimates

        text = render_estimates(estimated, form=form, by_wording=by is By.WORDING, screen=place)
        # Only CSV has no separate place for what the answers show.
        remarks = tuple(
            f"{run.path}: {printable(note)}"
            for run in estimated
            for note in (run.notes if form is TableFormat.CSV else run.remarks)
        )
        parts.append(Rendered(text, remarks))
    if scored:
        parts.append(_scored(scored, form, by, group_order, place))
    return Rendered("".join(part.text for part in parts), tuple(line for part in parts for line in part.warnings))


def _scored(
    runs: Sequence[RunScores], form: TableFormat, by: By, group_order: Sequence[str], screen: Screen
) -> Rendered:
    module = _module(form)
    if by is By.WORDING:
        of_wordings = wording_tables(runs, group_order)
        remarks = [f"{table.run.path}: {printable(note)}" for table in of_wordings for note in table.notes]
        text = module.render_wordings(of_wordings, screen)
    else:
        tables = task_tables(runs, group_order)
        remarks = [f"{table.run.path}: {printable(note)}" for table in tables for note in table.notes]
        text = module.render_tasks(tables, screen)
    return Rendered(text, tuple(remarks) if form is TableFormat.CSV else ())


def _module(form: TableFormat) -> Format:
    match form:
        case TableFormat.TEXT:
            from phraseproof.reports.format import table_text as text_table

            return text_table
        case TableFormat.JSON:
            from phraseproof.reports.format import table_json as json_table

            return json_table
        case TableFormat.CSV:
            from phraseproof.reports.format import table_csv as csv_table

            return csv_table
        case TableFormat.MARKDOWN:
            from phraseproof.reports.format import table_markdown as markdown_table

            return markdown_table
        case TableFormat.LATEX:
            from phraseproof.reports.format import table_latex as latex_table

            return latex_table
