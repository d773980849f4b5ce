"""`phraseproof import-results`: import published accuracies as a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phraseproof.cli import options
from phraseproof.errors import UsageError

_NAMED = 3


def import_results(
    files: Annotated[list[Path], typer.Argument(metavar="CSV", help="Result files in the paper's release format.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="The run folder. More files can be added to it later.", rich_help_panel=options.OUTPUT
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="The model whose rows are read, if the files hold several.",
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    parameters: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER",
            help="The number of the model's parameters, as in 3e9, for `analyze --scaling`.",
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    designers_apart: Annotated[
        bool,
        typer.Option(
            "--designers-apart",
            help="Put the task designers' prompts into a separate group, as in Table 9 of the paper.",
            rich_help_panel=options.INSTRUCTIONS,
        ),
    ] = False,
) -> None:
    """Import published accuracies of wordings as a run that tables and statistics read like any other.

    Statistics that need outcomes of examples (flips, McNemar's test, ...) report that there is not enough data.
    """
    if parameters is not None and not 1 <= parameters < 1e18:
        raise UsageError(
            "not a number of parameters", expected="at least 1", got=f"{parameters:g}", where="--parameters"
        )

    from phraseproof.evaluation.published import import_published, read_published

    published = read_published(files, model=model, designers_apart=designers_apart)
    run = import_published(published, out, parameters=None if parameters is None else round(parameters))
    if published.excluded:
        typer.echo(f"note: left out, because `Include?` is not true: {published.excluded} rows", err=True)
    if published.repeated:
        count = len(published.repeated)
        named = ", ".join(published.repeated[:_NAMED]) + (", ..." if count > _NAMED else "")
        typer.echo(f"note: {count} wordings occur more than once and count once, with their mean: {named}", err=True)
    count, tasks = len(published.scores), len({score.task for score in published.scores})
    read = "1 accuracy of a wording" if count == 1 else f"{count} accuracies of wordings"
    typer.echo(
        f"{published.model}: {read} on {tasks} task{'' if tasks == 1 else 's'}, in {', '.join(run.groups)}."
        f" See: phraseproof table {out}"
    )
