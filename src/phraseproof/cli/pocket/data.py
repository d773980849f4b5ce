"""`phraseproof pocket data`: write the pocket tasks and wordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phraseproof.cli import options


def data(
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="The folder for tasks/ and wordings/.",
            rich_help_panel=options.OUTPUT,
        ),
    ],
) -> None:
    """Write the pocket tasks and wordings, with the same bytes as the shipped files."""
    from phraseproof.pocket.publish import publish

    for path in publish(out / "tasks", out / "wordings"):
        typer.echo(path)
