"""`phraseproof collect`: gather wordings from people, review them, and make collections of them."""

from __future__ import annotations

import typer

from phraseproof.cli.collect.delete_person import delete_person
from phraseproof.cli.collect.export import export
from phraseproof.cli.collect.import_wordings import import_table
from phraseproof.cli.collect.invite import invite
from phraseproof.cli.collect.new import new
from phraseproof.cli.collect.quality import quality
from phraseproof.cli.collect.review import review
from phraseproof.cli.collect.revoke import revoke
from phraseproof.cli.collect.serve import serve
from phraseproof.cli.collect.status import status

app = typer.Typer(help="Gather wordings from people.", no_args_is_help=True)
app.command("serve", short_help="Serve the form, for annotators and owners.")(serve)
app.command("new", short_help="Make a project, without a form on the web.")(new)
app.command("invite", short_help="Invite people, and print their links.")(invite)
app.command("revoke", short_help="Stop people's links.")(revoke)
app.command("status", short_help="Show how far everyone is.")(status)
app.command("import", short_help="Read wordings from a table.")(import_table)
app.command("review", short_help="List, accept and return wordings.")(review)
app.command("export", short_help="Write a collection, or everything.")(export)
app.command("quality", short_help="Measure wordings per author and task.")(quality)
app.command("delete-person", short_help="Delete all data of a person.")(delete_person)
