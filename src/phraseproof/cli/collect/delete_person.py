"""`phraseproof collect delete-person`: delete all data of a person."""

from __future__ import annotations

from typing import Annotated

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.collect.arguments import Folder, open_project
from phraseproof.errors import UsageError


def delete_person(
    folder: Folder,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The person's pseudonym.")],
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Delete; without it, say what would be deleted.", rich_help_panel=options.OUTPUT),
    ] = False,
) -> None:
    """Delete a person's invitation, wordings and their history for good.

    Collections and runs that were made before keep their wordings; `collect export` writes collections without them.
    """
    with open_project(folder) as store:
        person = store.invitation_called(name)
        count = len(store.wordings(invitation_id=person.id))
        if not yes:
            raise UsageError(
                f"this would delete {person.pseudonym} and {terminal.counted(count, 'wording')} for good",
                hint="Add --yes to delete them",
            )
        deleted = store.delete_person(person.id)
    terminal.note(f"deleted {person.pseudonym} and {terminal.counted(deleted, 'wording')}")
