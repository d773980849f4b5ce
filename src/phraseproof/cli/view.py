"""`phraseproof view`: browse runs, wordings and answers on a local page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from phraseproof.cli import terminal


def view(
    folder: Annotated[
        Path, typer.Argument(metavar="RUN|DIR", help="A run folder or its URL, or a folder with run folders below it.")
    ] = Path("runs"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address, and do not open a browser.")
    ] = False,
) -> None:
    """Browse runs on a page of this machine: wordings by examples, prompts and answers, two runs next to each other.

    The page reads the run folders, changes nothing, and is reached from this machine only. Ctrl-C ends it.
    """
    # The data of tasks, of which prompts are rendered again, is read from this machine only.
    os.environ["HF_HUB_OFFLINE"] = "1"
    from phraseproof.viewer.view import prepared, show

    viewing = prepared(folder, port)
    typer.echo(viewing.url)
    terminal.note("Ctrl-C ends it")
    if not no_browser:
        show(viewing.url)
    viewing.run()
