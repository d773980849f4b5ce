"""`phraseproof collect export`: write a collection of accepted wordings, or everything as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.collect.arguments import (
    WORDINGS,
    Folder,
    KindChoice,
    StatusChoice,
    kinds_of,
    open_project,
    statuses_of,
    warn_of_left_out,
)
from phraseproof.errors import UsageError


def export(
    folder: Folder,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.", rich_help_panel=options.OUTPUT)],
    kind: Annotated[
        KindChoice,
        typer.Option(
            "--kind",
            "-k",
            help="Wordings for prompts without examples, with examples, or both in one collection.",
            rich_help_panel=WORDINGS,
        ),
    ] = "zero-shot",
    status: Annotated[
        StatusChoice,
        typer.Option(help="Wordings in this state; all is every state but draft.", rich_help_panel=WORDINGS),
    ] = "accepted",
    name: Annotated[
        str | None,
        typer.Option(help="The collection's name. Default: the name of --out.", rich_help_panel=options.OUTPUT),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--everything", help="Write all that the project holds as JSON.", rich_help_panel=options.OUTPUT),
    ] = False,
    person: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="With --everything: the data of one person.", rich_help_panel=options.OUTPUT),
    ] = None,
) -> None:
    """Write a collection that `evaluate` takes, with author, time and licence of each wording."""
    from phraseproof.collect.export import export_collection, export_everything
    from phraseproof.collect.project_tasks import load_project_tasks

    with open_project(folder) as store:
        if everything:
            of = None if person is None else store.invitation_called(person)
            export_everything(store, out, of=None if of is None else of.id)
            whose = "" if of is None else f" of {of.pseudonym}"
            terminal.note(f"wrote {out}: all that the project holds{whose}, except what links are made of")
            return
        if person is not None:
            raise UsageError("--person requires --everything")
        tasks = load_project_tasks(store.project, warn=terminal.warn)
        exported = export_collection(
            store, tasks, out, name=name or out.stem, kinds=kinds_of(kind), statuses=statuses_of(status)
        )
        of_others = [each for each in store.wordings(status="accepted") if each.kind not in kinds_of(kind)]
    warn_of_left_out(exported.left_out)
    authors = len({each.author for each in exported.instructions})
    terminal.note(
        f"wrote {out}: {terminal.counted(len(exported.instructions), 'wording')} by "
        f"{terminal.counted(authors, 'author')}"
    )
    few_shot = sum(each.kind == "few-shot" for each in exported.sources)
    if few_shot:
        were = "was" if few_shot == 1 else "were"
        terminal.note(
            f"{terminal.counted(few_shot, 'few-shot wording')} {were} written for prompts with solved examples: "
            "evaluate with --num-fewshot"
        )
    if of_others:
        is_one = len(of_others) == 1
        terminal.note(
            f"{terminal.counted(len(of_others), f'accepted {of_others[0].kind} wording')} "
            f"{'is' if is_one else 'are'} not in this file; see --kind"
        )
