"""`phraseproof pocket figures`: a model's accuracy on the pocket tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phraseproof.cli import options


def figures(
    out: Annotated[Path, typer.Option("--out", "-o", help="The run folder.", rich_help_panel=options.OUTPUT)],
    model: options.TrainableModel = "pocket",
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="The maximum number of questions per task.", rich_help_panel=options.DATA),
    ] = None,
) -> None:
    """Evaluate a model under observed and test wordings, and print the accuracy of each kind of task as Markdown."""
    from phraseproof.cli.progress import ProgressBar
    from phraseproof.evaluation.evaluate import evaluate
    from phraseproof.pocket.figures import figures as measure

    with ProgressBar() as progress:
        run = evaluate(
            model,
            "pocket",
            {"observed": "pocket-observed", "test": "pocket-test"},
            out,
            limit=limit,
            observer=progress,
        )
    typer.echo("| kind | observed wordings, % | test wordings, % | difference, points |\n|---|---|---|---|")
    for kind, *intervals in measure(run, "observed", "test"):
        cells = " | ".join(f"{one.percent:.1f} ({one.low:.1f} to {one.high:.1f})" for one in intervals)
        typer.echo(f"| {kind} | {cells} |")
