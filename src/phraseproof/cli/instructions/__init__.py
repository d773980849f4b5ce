"""`phraseproof instructions`: list, show, validate, measure, import and perturb collections of wordings."""

from __future__ import annotations

import typer

from phraseproof.cli.instructions.import_wordings import import_wordings
from phraseproof.cli.instructions.list_collections import list_collections
from phraseproof.cli.instructions.perturb import perturb
from phraseproof.cli.instructions.show import show
from phraseproof.cli.instructions.stats import stats
from phraseproof.cli.instructions.validate import validate

app = typer.Typer(help="List, show, validate and import wordings.", no_args_is_help=True)
app.command("import", short_help="Import other programs' wordings.")(import_wordings)
app.command("validate", short_help="Check a collection, alone or on a task.")(validate)
app.command("stats", short_help="Count, measure and compare collections.")(stats)
app.command("perturb", short_help="Negate, garble or reformat wordings.")(perturb)
app.command("list", short_help="List the collections of wordings.")(list_collections)
app.command("show", short_help="Show a collection's wordings, rendered.")(show)
