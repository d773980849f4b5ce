"""`phraseproof compare`: what changed from one run to another."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def compare(
    before: Annotated[Path, typer.Argument(metavar="A", help="The run folder to start from.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="The run folder to compare with it.")],
    html: Annotated[Path | None, typer.Option(help="Write a page, too, to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Compare two runs on the questions and wordings they share: differences, intervals, what got better and worse."""
    from phraseproof.cli.table import screen
    from phraseproof.reports.build.compare import compare as compare_two
    from phraseproof.reports.format import compare_json, compare_text
    from phraseproof.store.queries import load_run

    runs = load_run(before), load_run(after)
    for run in runs:
        if run.missing:
            count = f"{len(run.missing)} of {len(run.cells)} cells"
            typer.echo(f"warning: {run.path}: {count} are missing; the numbers rest on the others", err=True)
    found = compare_two(*runs)
    if html is not None:
        from phraseproof.files import write_text
        from phraseproof.reports.html.compare import render_comparison

        write_text(html, render_comparison(found))
    text = compare_json.render(found) if as_json else compare_text.render(found, screen())
    encoding = "utf-8" if as_json else sys.stdout.encoding or "utf-8"
    typer.echo(text.encode(encoding, errors="replace"), nl=False)
    if html is not None:
        typer.echo(f"page: {html}", err=True)
