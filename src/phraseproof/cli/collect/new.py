"""`phraseproof collect new`: make a project, for wordings that come in spreadsheets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.collect.arguments import PROJECT
from phraseproof.cli.completion import complete_tasks


def new(
    tasks: Annotated[
        list[str],
        typer.Argument(metavar="TASK...", help="Names or YAML files of tasks.", autocompletion=complete_tasks),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The project's folder.", rich_help_panel=options.OUTPUT)],
    data_dir: options.DataDir = None,
    title: Annotated[str | None, typer.Option(help="The form's heading.", rich_help_panel=PROJECT)] = None,
    licence: Annotated[
        str, typer.Option(help="The licence that annotators agree to.", rich_help_panel=PROJECT)
    ] = "CC0-1.0",
    zero_shot: Annotated[
        int, typer.Option(min=0, max=200, help="Zero-shot wordings asked per person and task.", rich_help_panel=PROJECT)
    ] = 6,
    few_shot: Annotated[
        int, typer.Option(min=0, max=200, help="Few-shot wordings asked per person and task.", rich_help_panel=PROJECT)
    ] = 6,
) -> None:
    """Make a project. `collect serve` does the same and serves its form; spreadsheets need no form."""
    from phraseproof.collect.project_tasks import new_project

    with new_project(
        out,
        tasks,
        title=title,
        licence=licence,
        zero_shot=zero_shot,
        few_shot=few_shot,
        data_dir=data_dir,
        warn=terminal.warn,
    ) as store:
        names = ", ".join(task.name for task in store.project.tasks)
        terminal.note(f"the project {out} collects {zero_shot} + {few_shot} wordings per person for {names}")
