"""`phraseproof tasks`: list, show and validate tasks."""

from __future__ import annotations

import typer

from phraseproof.cli.tasks.list_tasks import list_tasks
from phraseproof.cli.tasks.show import show
from phraseproof.cli.tasks.validate import validate

app = typer.Typer(help="List, show and validate tasks.", no_args_is_help=True)
app.command("list", short_help="List the built-in tasks.")(list_tasks)
app.command("show", short_help="Show a task and its first example.")(show)
app.command("validate", short_help="Check a task's file and its data.")(validate)
