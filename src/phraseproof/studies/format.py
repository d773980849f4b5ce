"""An exhibit in every format: text, JSON, CSV, Markdown and LaTeX."""

from __future__ import annotations

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.build.text import printable
from phraseproof.reports.format.json_document import render_document
from phraseproof.reports.format.latex import PREAMBLE, long_table, row_line
from phraseproof.reports.format.latex import escape as escape_latex
from phraseproof.reports.format.markdown import escape, table_lines
from phraseproof.reports.format.results import render_results, results_json
from phraseproof.reports.format.tables import Rendered, TableFormat
from phraseproof.reports.format.terminal import print_blocks
from phraseproof.studies.exhibit import Exhibit, ExhibitTable

FORMAT_VERSION = 1


def render(exhibit: Exhibit, form: TableFormat, *, screen: Screen | None = None) -> Rendered:
    """Write an exhibit.

    Args:
        exhibit: of a study.
        form: text, markdown and latex have the paper's rows and columns; csv has one line per figure, measured and
            published; json has both.
        screen: where text is shown; 100 columns without colour by default.
    """
    match form:
        case TableFormat.TEXT:
            return Rendered(_text(exhibit, screen or Screen()), ())
        case TableFormat.JSON:
            return Rendered(render_document(_document(exhibit)), ())
        case TableFormat.CSV:
            rendered = render_results(exhibit.results, form)
            return Rendered(rendered.text, (*rendered.warnings, *map(printable, exhibit.notes)))
        case TableFormat.MARKDOWN:
            return Rendered(_markdown(exhibit), ())
        case _:
            return Rendered(_latex(exhibit), ())


def _text(exhibit: Exhibit, screen: Screen) -> str:
    blocks: list[RenderableType] = [Text(printable(exhibit.title), style="bold"), Text()]
    for table in exhibit.tables:
        blocks.append(Text(printable(table.title), style="bold"))
        if table.rows:
            blocks.append(_grid(table))
        blocks += [*(Text(printable(line)) for line in table.lines), Text()]
    blocks += [Text(printable(f"Note: {note}"), style="yellow") for note in exhibit.notes]
    return print_blocks(blocks, screen)


def _grid(table: ExhibitTable) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for place, heading in enumerate(table.headings):
        grid.add_column(
            Text(printable(heading)), justify="right" if place in table.numbers else "left", overflow="fold"
        )
    for row in table.rows:
        grid.add_row(*(Text("\n".join(map(printable, cell.split("\n")))) for cell in row))
    return grid


def _document(exhibit: Exhibit) -> dict[str, object]:
    return {
        "format_version": FORMAT_VERSION,
        "study": exhibit.study,
        "title": exhibit.title,
        "tables": [
            {
                "title": table.title,
                "headings": list(table.headings),
                "rows": [list(row) for row in table.rows],
                "lines": list(table.lines),
            }
            for table in exhibit.tables
        ],
        "results": results_json(exhibit.results),
        "notes": list(exhibit.notes),
        "cells_missing": exhibit.incomplete,
    }


def _one_line(cell: str) -> str:
    return cell.replace("\n", " ")


def _markdown(exhibit: Exhibit) -> str:
    lines = [f"## {escape(exhibit.title)}", ""]
    for table in exhibit.tables:
        lines += [f"### {escape(table.title)}", ""]
        if table.rows:
            rows = [[escape(_one_line(cell)) for cell in row] for row in table.rows]
            lines += [*table_lines(list(map(escape, table.headings)), rows, right=table.numbers), ""]
        lines += [part for line in table.lines for part in (escape(line), "")]
    lines += [f"- {escape(note)}" for note in exhibit.notes]
    return "\n".join(lines).rstrip() + "\n"


def _latex(exhibit: Exhibit) -> str:
    parts = [PREAMBLE]
    for table in exhibit.tables:
        if not table.rows:
            parts += [f"{escape_latex(line)}\n\n" for line in table.lines]
            continue
        caption = " ".join((f"{exhibit.title}. {table.title}.", *table.lines))
        columns = "".join("r" if place in table.numbers else "l" for place in range(len(table.headings)))
        body = [row_line(escape_latex(_one_line(cell)) for cell in row) for row in table.rows]
        parts.append(long_table(caption, columns, list(map(escape_latex, table.headings)), body))
    parts += [f"% {printable(note)}\n" for note in exhibit.notes]
    return "".join(parts)
