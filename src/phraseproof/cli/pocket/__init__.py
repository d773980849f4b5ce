"""`phraseproof pocket`: train a shipped tiny model again, measure it, and write the data of the pocket tasks."""

from __future__ import annotations

import typer

from phraseproof.cli.pocket.data import data
from phraseproof.cli.pocket.figures import figures
from phraseproof.cli.pocket.train import train

app = typer.Typer(help="Train a shipped tiny model again, measure it, and write its data.", no_args_is_help=True)
app.command("train", short_help="Train a tiny model from random weights.")(train)
app.command("figures", short_help="Measure a model on the pocket tasks.")(figures)
app.command("data", short_help="Write the pocket tasks and wordings.")(data)
