"""A result table in every format: text, JSON, CSV, Markdown and LaTeX."""

from __future__ import annotations

from phraseproof.analysis.results import COLUMNS, NUMBER_HEADINGS, ResultTable, readable_cells, readable_lines
from phraseproof.reports.build.text import printable
from phraseproof.reports.format.csv_rows import render_rows
from phraseproof.reports.format.latex import PREAMBLE, long_table, row_line
from phraseproof.reports.format.latex import escape as escape_latex
from phraseproof.reports.format.markdown import escape, table_lines
from phraseproof.reports.format.tables import Rendered, TableFormat


def results_json(table: ResultTable) -> dict[str, object]:
    """The part of a JSON document that holds a table: one object per row with the table's columns, and the notes."""
    return {"rows": table.to_dicts(), "notes": list(table.notes)}


def render_results(table: ResultTable, form: TableFormat) -> Rendered:
    """A table with one row per estimate.

    Args:
        table: of any command.
        form: text has aligned columns and all rows, where `repr` cuts both to a screen; csv has every column in full
            precision and no place for notes, which are the warnings of the result;
            markdown and latex (a longtable) have rounded values, and leave out columns that are the same in every row.

    Raises:
        ValueError: json, which each command renders as a whole.
    """
    match form:
        case TableFormat.TEXT:
            return Rendered(_text(table), ())
        case TableFormat.CSV:
            return Rendered(render_rows(COLUMNS, table.to_dicts()), tuple(map(printable, table.notes)))
        case TableFormat.MARKDOWN:
            return Rendered(_markdown(table), ())
        case TableFormat.LATEX:
            return Rendered(_latex(table), ())
        case _:
            raise ValueError(form)


def _text(table: ResultTable) -> str:
    lines = [printable(table.title), ""] if table.title else []
    lines += readable_lines(table.rows) or ["no rows"]
    if table.notes:
        lines += ["", *(f"Note: {printable(note)}" for note in table.notes)]
    return "\n".join(lines) + "\n"


def _markdown(table: ResultTable) -> str:
    headings, cells = readable_cells(table.rows)
    right = [place for place, heading in enumerate(headings) if heading in NUMBER_HEADINGS]
    lines = [f"### {escape(table.title)}", ""] if table.title else []
    lines += table_lines(list(map(escape, headings)), [list(map(escape, row)) for row in cells], right=right)
    if table.notes:
        lines += ["", *(f"- {escape(note)}" for note in table.notes)]
    return "\n".join(lines) + "\n"


def _latex(table: ResultTable) -> str:
    headings, cells = readable_cells(table.rows)
    columns = "".join("r" if heading in NUMBER_HEADINGS else "l" for heading in headings)
    caption = ". ".join(filter(None, [table.title, *(note.removesuffix(".") for note in table.notes)]))
    body = [row_line(map(escape_latex, row)) for row in cells]
    return PREAMBLE + long_table(f"{caption}.", columns, list(map(escape_latex, headings)), body)
