"""`phraseproof pairs`: make the training data of `align`."""

from __future__ import annotations

import typer

from phraseproof.cli.pairs.from_alpaca import from_alpaca
from phraseproof.cli.pairs.from_task import from_task

app = typer.Typer(help="Make training pairs for align: examples under several wordings.", no_args_is_help=True)
app.command("from-task", short_help="From a task and collections of wordings.")(from_task)
app.command("from-alpaca", short_help="From Alpaca's data and paraphrases.")(from_alpaca)
