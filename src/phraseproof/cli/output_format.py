"""The option `--format` of commands that show results, and where each format is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from phraseproof.cli import options, terminal
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.analysis.results import ResultTable

# The members of reports.format.tables.TableFormat, repeated here so that `--help` does not import the reports.
FormatName = Literal["text", "json", "csv", "markdown", "latex"]

OutputFormat = Annotated[
    FormatName | None,
    typer.Option(
        "--format",
        "-f",
        help="The format to write. Default: text.",
        show_default=False,
        rich_help_panel=options.OUTPUT,
    ),
]


def read_format(output_format: FormatName | None, *, as_json: bool) -> FormatName:
    """The format that `--format` and `--json` select.

    Raises:
        UsageError: they select different formats.
    """
    if as_json and output_format not in {None, "json"}:
        raise UsageError("two formats are requested", got=f"--json and --format {output_format}", where="--format")
    return "json" if as_json else output_format or "text"


def print_results(table: ResultTable, output_format: FormatName) -> None:
    """Print a result table as CSV, Markdown or LaTeX. Remarks that have no place in the format go to stderr."""
    from phraseproof.reports.format.results import render_results
    from phraseproof.reports.format.tables import TableFormat

    rendered = render_results(table, TableFormat(output_format))
    terminal.print_file(rendered.text)
    for remark in rendered.warnings:
        terminal.note(remark)


def print_rendered(text: str, output_format: FormatName) -> None:
    """Print a result: text in the terminal's encoding, every other format as UTF-8 on every machine."""
    (terminal.print_result if output_format == "text" else terminal.print_file)(text)
