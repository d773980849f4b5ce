"""The arguments that several commands of `phraseproof collect` share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from phraseproof.collect.records import Shots, Status
    from phraseproof.collect.store import CollectStore

PROJECT: Final = "Project"
WORDINGS: Final = "Wordings"

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
