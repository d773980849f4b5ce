"""`phraseproof collect status`: how far everyone is."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from phraseproof.cli import options, terminal
from phraseproof.cli.collect.arguments import Folder, open_project

if TYPE_CHECKING:
    from phraseproof.collect.records import Invitation


def status(folder: Folder, as_json: options.AsJson = False) -> None:
    """Show invitations, and per person and task how many wordings are written, submitted, returned and accepted."""
    from rich.table import Table

    with open_project(folder) as store:
        project, progress, people = store.project, store.progress(), store.invitations()
    states = {person.id: _state(person) for person in people}
    progress = [each for each in progress if each.invitation_id in states]  # without who was deleted meanwhile
    if as_json:
        value = {
            "title": project.title,
            "licence": project.licence,
            "people": [
                {
                    "name": person.pseudonym,
                    "role": person.role,
                    "state": states[person.id],
                    "expires": person.expires.isoformat(),
                    "agreed": None if person.agreed_at is None else person.agreed_at.isoformat(),
                }
                for person in people
            ],
            "progress": [asdict(each) for each in progress],
        }
        terminal.print_json(value, indent=1)
        return
    terminal.print_result(f"{project.title}\n")
    table = Table(box=None, pad_edge=False)
    for name in ("person", "link", "task"):
        table.add_column(name, overflow="fold")
    for name in ("asked", "draft", "submitted", "returned", "accepted"):
        table.add_column(name, justify="right")
    for each in progress:
        counts = (each.asked, each.draft, each.submitted, each.returned, each.accepted)
        table.add_row(each.pseudonym, states[each.invitation_id], each.task, *map(str, counts))
    terminal.console().print(table)
    owners = [f"{person.pseudonym} ({states[person.id]})" for person in people if person.role == "owner"]
    if owners:
        terminal.print_result(f"owners: {', '.join(owners)}\n")


def _state(person: Invitation) -> str:
    from phraseproof.collect.rows import now

    if person.revoked is not None:
        return "revoked"
    return "expired" if person.expires <= now() else "valid"
