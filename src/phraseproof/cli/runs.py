"""`phraseproof runs`: list run folders and their contents."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.group import WRONG_INPUT
from phraseproof.errors import RunError, UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from phraseproof.store.summary import RunSummary


def runs(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder or URL to search, with all folders below it.")
    ] = (Path("runs")),
    as_json: options.AsJson = False,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept-edit",
            help="Accept edits of run.json by hand, which all commands refuse otherwise. The runs record it.",
        ),
    ] = False,
    compact: Annotated[
        bool,
        typer.Option(
            "--compact",
            help="Move the files of complete cells into few larger Parquet files. Evaluations "
            "do so from 512 cells of a task on. A run that cannot be read is named, and the exit code is 2.",
        ),
    ] = False,
) -> None:
    """List the run folders below a folder: model, tasks, wordings, groups, stored and failed cells, scoring, date."""
    from phraseproof.cli.run_folders import warn_of_changed_sources
    from phraseproof.store.queries import load_run
    from phraseproof.store.summary import run_folders, summarize_run
    from phraseproof.store.urls import url_of

    url = url_of(folder)
    if url is not None and (accept or compact):
        option = "--accept-edit" if accept else "--compact"
        raise UsageError(f"{option} needs a folder", got=url, where="DIR", hint="phraseproof copy URL FOLDER makes one")
    if url is None and not folder.is_dir():
        raise UsageError("no such folder", got=str(folder), where="DIR", hint="Name the folder of your runs")
    if accept:
        _accept_edits(folder)
        return
    if compact:
        _compact(folder)
        return
    found: list[RunSummary] = []
    for path in run_folders(folder):
        try:
            run = load_run(path)
            found.append(summarize_run(run))
            warn_of_changed_sources([run])
        except RunError as error:
            terminal.warn(f"left out: {error}")
    if as_json:
        terminal.print_json([asdict(each) for each in found], indent=2)
    elif found:
        terminal.console().print(_table(found))
    else:
        name = url or folder
        terminal.note(f"no run folder below {name}; phraseproof evaluate --out {name}/NAME makes one")


def _accept_edits(folder: Path) -> None:
    from phraseproof.store.run_file import RUN_FILE, accept_edit
    from phraseproof.store.summary import run_folders
    from phraseproof.store.vectors import FOLDER

    runs = [
        path
        for run in run_folders(folder)
        for path in (run, *sorted(run.glob(f"{FOLDER}*")))
        if (path / RUN_FILE).exists()
    ]
    edited = [path for path in runs if accept_edit(path)]
    for path in edited:
        terminal.note(f"{path / RUN_FILE}: the edit is accepted")
    if not edited:
        terminal.note(f"no run.json below {folder} was edited")


def _compact(folder: Path) -> None:
    from phraseproof.store.run_file import read_run_file
    from phraseproof.store.summary import run_folders
    from phraseproof.store.writer import RunStore

    left_out = 0
    for path in run_folders(folder):
        try:
            done = RunStore(path, read_run_file(path)["settings"]).compact()
        except RunError as error:
            terminal.warn(f"not compacted: {error}")
            left_out += 1
            continue
        if done.files:
            files = f"{done.packs:,} new packs" if done.packs > 1 else "1 new pack" if done.packs else "packs"
            terminal.note(f"{path}: {done.files:,} files of cells are now in {files}")
        else:
            terminal.note(f"{path}: nothing to compact")
    if left_out:
        terminal.warn(f"{left_out:,} run folder{'s' if left_out > 1 else ''} could not be compacted")
        raise typer.Exit(WRONG_INPUT)


def _table(found: list[RunSummary]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("run", "model", "tasks", "wordings", "groups", "cells", "scoring", "updated (UTC)"):
        is_number = name in {"tasks", "wordings", "cells"}
        table.add_column(name, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
    for each in found:
        cells = f"{each.done:,}" if each.done == each.cells else f"{each.done:,} of {each.cells:,}"
        if each.failed:
            cells += f", {each.failed:,} failed"
        values = (
            each.path,
            each.model,
            f"{each.tasks:,}",
            f"{each.wordings:,}",
            ", ".join(each.groups),
            cells if each.cells else "-",
            ", ".join(each.scorings),
            each.updated[:16].replace("T", " "),
        )
        table.add_row(*map(Text, values))
    return table
