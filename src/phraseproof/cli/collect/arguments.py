"""What several commands of `phraseproof collect` share: arguments, and the warnings of wordings that are left out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from phraseproof.cli import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from phraseproof.collect.export import LeftOut
    from phraseproof.collect.records import Shots, Status
    from phraseproof.collect.store import CollectStore

PROJECT: Final = "Project"
WORDINGS: Final = "Wordings"
_SHOWN: Final = 10

# The members of collect.records.Shots and Status, repeated here so that `--help` does not import them.
KindName = Literal["zero-shot", "few-shot"]
KindChoice = Literal["zero-shot", "few-shot", "both"]
StatusName = Literal["draft", "submitted", "returned", "accepted"]

StatusChoice = Literal["draft", "submitted", "returned", "accepted", "all"]

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The project's folder.")]
Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="Pseudonyms of people.")]
Kind = Annotated[
    KindChoice,
    typer.Option("--kind", "-k", help="Wordings for prompts without or with examples.", rich_help_panel=WORDINGS),
]
Days = Annotated[int, typer.Option(min=1, max=3650, help="How many days links are valid.", rich_help_panel=PROJECT)]


def open_project(folder: Path) -> CollectStore:
    """The project in a folder.

    Raises:
        CollectError: there is none, or a newer version of phraseproof wrote it.
    """
    from phraseproof.collect.store import CollectStore

    return CollectStore.open(folder)


def statuses_of(status: StatusChoice) -> Sequence[Status]:
    """The states that `--status` means; `all` is every state but drafts, which their authors still write."""
    return ("submitted", "returned", "accepted") if status == "all" else (status,)


def kinds_of(kind: KindChoice) -> Sequence[Shots]:
    """The tables that `--kind` means."""
    return ("zero-shot", "few-shot") if kind == "both" else (kind,)


def warn_of_left_out(left_out: Sequence[LeftOut]) -> None:
    """Print why wordings are left out: the first ten, and how many more there are."""
    for each in left_out[:_SHOWN]:
        where = f"{each.wording.task}, {each.wording.kind} {each.wording.row}, {each.author}"
        terminal.warn(f"{where} is left out: {each.reason}")
    if len(left_out) > _SHOWN:
        terminal.warn(f"{len(left_out) - _SHOWN} more are left out")
