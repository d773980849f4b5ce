"""`phraseproof collect review`: list wordings, accept them, return them with a comment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.collect.arguments import WORDINGS, Folder, StatusName, open_project
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.collect.records import CollectedWording

ALL = "all"
BY = "command line"
_WIDTH = 60


def review(
    folder: Folder,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID", help="Accept a wording; `all` accepts all that are listed.", rich_help_panel=WORDINGS
        ),
    ] = None,
    send_back: Annotated[
        list[str] | None,
        typer.Option("--return", metavar="ID", help="Return a wording to its author.", rich_help_panel=WORDINGS),
    ] = None,
    comment: Annotated[
        str | None, typer.Option(help="What the author reads with a returned wording.", rich_help_panel=WORDINGS)
    ] = None,
    task: Annotated[str | None, typer.Option(help="Wordings of this task only.", rich_help_panel=WORDINGS)] = None,
    author: Annotated[str | None, typer.Option(help="Wordings of this person only.", rich_help_panel=WORDINGS)] = None,
    status: Annotated[StatusName, typer.Option(help="Wordings in this state.", rich_help_panel=WORDINGS)] = "submitted",
    as_json: options.AsJson = False,
) -> None:
    """List wordings with their ids, or accept and return them. Without ids, nothing is changed."""
    if send_back and comment is None:
        raise UsageError("--return needs a comment", hint="Say with --comment what to change", where="--return")
    with open_project(folder) as store:
        person = None if author is None else store.invitation_called(author)
        listed = store.wordings(task=task, invitation_id=None if person is None else person.id, status=status)
        names = {each.id: each.pseudonym for each in store.invitations()}  # without who was deleted meanwhile
        listed = tuple(each for each in listed if each.text and each.invitation_id in names)
        wanted = set(accept or ())
        accepted = [each.id for each in listed] if ALL in wanted else [*(accept or ())]
        if wanted or send_back:
            done = {"accepted": 0, "returned": 0}
            try:
                for each in accepted:
                    store.accept(each, by=BY)
                    done["accepted"] += 1
                for each in send_back or ():
                    store.send_back(each, comment or "", by=BY)
                    done["returned"] += 1
            finally:  # an id that cannot be reviewed ends the command; what was done before stays
                terminal.note(f"{done['accepted']} accepted, {done['returned']} returned")
            return
    if as_json:
        terminal.print_json([_as_data(each, names[each.invitation_id]) for each in listed], indent=1)
        return
    for each in listed:
        text = " ".join(each.text.split())
        shown = text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
        terminal.print_result(f"{each.id}  {each.task}, {each.kind} {each.row}, {names[each.invitation_id]}: {shown}\n")
    terminal.note(f"{terminal.counted(len(listed), f'{status} wording')}")


def _as_data(wording: CollectedWording, author: str) -> dict[str, object]:
    names = ("id", "task", "kind", "row", "text", "answer", "form", "status", "comment")
    data: dict[str, object] = {name: getattr(wording, name) for name in names}
    return {**data, "author": author}
