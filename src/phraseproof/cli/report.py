"""`phraseproof report`: one HTML file with everything that runs and searches among methods hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phraseproof.cli import options
from phraseproof.cli.inputs import refuse_to_overwrite
from phraseproof.cli.run_folders import describe_runs
from phraseproof.errors import UsageError


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN",
            help="Run folders. Folders of trainings (align, harden) add their loss curves, those of harden --methods "
            "the results of their searches.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.", rich_help_panel=options.OUTPUT)] = Path(
        "report.html"
    ),
    title: Annotated[str | None, typer.Option(help="The page's heading.", rich_help_panel=options.OUTPUT)] = None,
    current: Annotated[
        str | None,
        typer.Option(
            metavar="WORDING",
            help="The wording in use today, as COLLECTION/ID. The page marks it.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    scoring: options.ScoringOfRun = None,
    metric: options.MetricOfRun = None,
) -> None:
    """Write one page with everything that runs hold: charts, wordings, examples that flip, statistics."""
    from phraseproof.files import write_text
    from phraseproof.reports.build.searches import SEARCH_FILE
    from phraseproof.reports.build.sources import open_sources
    from phraseproof.reports.html.report import render_report
    from phraseproof.store.run_file import RUN_FILE

    if out.is_dir():
        raise UsageError("the report is a file, but this is a folder", got=str(out), where="--out")
    sources = open_sources(runs, scoring=scoring, metric=metric)
    refuse_to_overwrite(
        out,
        *(run.path / RUN_FILE for run in sources.runs),
        *(search.path / SEARCH_FILE for search in sources.searches),
    )
    describe_runs(sources.runs)
    text = render_report(sources, title=title, current=current)
    write_text(out, text)
    typer.echo(str(out))
    typer.echo(f"{len(text.encode()) / 2**20:.1f} MiB; open it in a browser", err=True)
