"""`phraseproof collect revoke`: stop people's links."""

from __future__ import annotations

from phraseproof.cli import terminal
from phraseproof.cli.collect.arguments import Folder, Names, open_project


def revoke(folder: Folder, names: Names) -> None:
    """Stop people's links. Their wordings stay; `collect invite --renew` gives them a new link."""
    with open_project(folder) as store:
        for person in [store.invitation_called(name) for name in names]:
            store.revoke(person.id)
            terminal.note(f"the link of {person.pseudonym} is revoked")
