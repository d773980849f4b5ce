"""`phraseproof compare`: what changed from one run to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.output_format import OutputFormat, print_results, read_format
from phraseproof.cli.run_folders import open_runs


def compare(
    before: Annotated[Path, typer.Argument(metavar="A", help="The run folder to start from.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="The run folder to compare with it.")],
    scoring: options.ScoringOfRun = None,
    metric: options.MetricOfRun = None,
    html: Annotated[
        Path | None, typer.Option(help="Also write a page to this file.", rich_help_panel=options.OUTPUT)
    ] = None,
    output_format: OutputFormat = None,
    as_json: options.AsJson = False,
) -> None:
    """Compare two runs on the questions and wordings they share: differences, intervals, what improved or got worse."""
    chosen = read_format(output_format, as_json=as_json)

    from phraseproof.reports.build.compare import compare as compare_two
    from phraseproof.reports.build.results import comparison_results
    from phraseproof.reports.format import compare_json, compare_text

    earlier, later = open_runs((before, after), scoring, metric)
    found = compare_two(earlier, later)
    if html is not None:
        from phraseproof.files import write_text
        from phraseproof.reports.html.compare import render_comparison

        write_text(html, render_comparison(found))
    match chosen:
        case "text":
            terminal.print_result(compare_text.render(found, terminal.screen()))
        case "json":
            terminal.print_file(compare_json.render(found))
        case _:
            print_results(comparison_results(found), chosen)
    if html is not None:
        typer.echo(f"page: {html}", err=True)
