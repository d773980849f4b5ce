"""`phraseproof tasks validate`: a task's file and every row of its data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phraseproof.cli import options, terminal


def validate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A task's YAML file.")],
    as_json: options.AsJson = False,
) -> None:
    """Check a task's YAML file and every row of its data."""
    from phraseproof.tasks.summary import summarize
    from phraseproof.tasks.user_files import load_file

    summary = summarize(load_file(file))
    if as_json:
        terminal.print_json({"file": str(file), "valid": True, **summary.as_json()}, indent=2)
        return
    has = "a reference text" if summary.reference_words else "its options and a right answer"
    terminal.console().print(
        f"{file}: the task {summary.name} is valid. Each of its {summary.examples} examples has its fields "
        f"({', '.join(summary.fields)}) and {has}.",
        markup=False,
    )
