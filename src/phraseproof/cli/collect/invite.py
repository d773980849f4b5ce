"""`phraseproof collect invite`: invite people, and print their links."""

from __future__ import annotations

from typing import Annotated

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.collect.arguments import PROJECT, Days, Folder, Names, open_project
from phraseproof.errors import UsageError


def invite(
    folder: Folder,
    names: Names,
    days: Days = 30,
    owner: Annotated[
        bool, typer.Option("--owner", help="Invite owners, who review and export.", rich_help_panel=PROJECT)
    ] = False,
    renew: Annotated[
        bool,
        typer.Option(
            "--renew", help="Give people who are invited a new link; the old one stops.", rich_help_panel=PROJECT
        ),
    ] = False,
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url",
            metavar="URL",
            help="The address of the form that links begin with; by default where it was last served.",
            rich_help_panel=PROJECT,
        ),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Invite people by pseudonym, and print a link for each. A person with the link writes under the pseudonym."""
    from datetime import timedelta

    from phraseproof.collect.invitations import USUAL_ADDRESS, last_address, link_of
    from phraseproof.collect.rows import now

    if owner and renew:
        raise UsageError("--owner cannot be used with --renew", hint="A renewed link keeps the person's role")
    expires = now() + timedelta(days=days)
    with open_project(folder) as store:
        people = (
            [store.renew(person.id, expires=expires) for person in [store.invitation_called(name) for name in names]]
            if renew
            else store.invite_all(names, expires=expires, role="owner" if owner else "annotator")
        )
        address = base_url or last_address(store.folder)
        if address is None:
            address = USUAL_ADDRESS
            terminal.note(f"the form was not served yet: links begin with {address}; --base-url changes that")
        links = [(person.pseudonym, link_of(store.folder, person, address)) for person in people]
    if as_json:
        value = [{"name": name, "link": link, "expires": expires.isoformat()} for name, link in links]
        terminal.print_json(value, indent=1)
        return
    for name, link in links:
        typer.echo(f"{name}: {link}")
    terminal.note(f"the links are valid until {expires:%Y-%m-%d}")
