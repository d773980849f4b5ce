"""`phraseproof collect import`: read wordings from a CSV file or a spreadsheet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phraseproof.cli import terminal
from phraseproof.cli.collect.arguments import WORDINGS, Folder, KindName, open_project
from phraseproof.errors import FileError


def import_table(
    folder: Folder,
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="A .csv, .tsv or .xlsx file, one wording per row.")],
    licence: Annotated[
        str,
        typer.Option(
            help="The licence that the authors agreed to; it is noted for authors who have not agreed in the form.",
            rich_help_panel=WORDINGS,
        ),
    ],
    task: Annotated[
        str | None, typer.Option(help="The task, where no column names it.", rich_help_panel=WORDINGS)
    ] = None,
    kind: Annotated[
        KindName | None,
        typer.Option("--kind", "-k", help="The table of the form, where no column names it.", rich_help_panel=WORDINGS),
    ] = None,
    author: Annotated[
        str | None, typer.Option(help="The author's pseudonym, where no column names it.", rich_help_panel=WORDINGS)
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(help="The sheet of a spreadsheet; by default all.", rich_help_panel=WORDINGS)
    ] = None,
) -> None:
    """Add the wordings of a table, submitted for review. A table with a row that cannot be read or stored adds none.

    Columns: wording, task, kind (zero-shot or few-shot), author; others are ignored. Fields are written {field} or
    {{ field }}.
    """
    from phraseproof.collect.import_table import TableDefaults, read_wordings
    from phraseproof.collect.project_tasks import load_project_tasks

    with open_project(folder) as store:
        tasks = load_project_tasks(store.project, warn=terminal.warn)
        content = read_wordings(table, tasks, defaults=TableDefaults(task, kind, author), sheet=sheet)
        if content.problems:
            for problem in content.problems[:-1]:
                terminal.warn(str(problem))
            last = content.problems[-1]
            raise FileError(
                last.problem,
                expected=last.expected,
                got=last.got,
                where=last.where,
                hint=f"Nothing was imported: {terminal.counted(len(content.problems), 'row')} cannot be read",
            )
        counts = store.import_wordings(content.wordings, licence=licence)
    terminal.note(
        f"{terminal.counted(counts.added, 'wording')} added, by {terminal.counted(counts.authors, 'new author')}; "
        f"{counts.repeated} were there already"
    )
    if content.filled:
        terminal.note(f"{terminal.counted(content.filled, 'empty cell')} took the value of the row above")
