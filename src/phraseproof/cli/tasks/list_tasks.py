"""`phraseproof tasks list`: the built-in tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import options, terminal

if TYPE_CHECKING:
    from phraseproof.tasks import TaskListing

EveryTask = Annotated[
    bool,
    typer.Option(
        "--all",
        help="Also list each of MMLU's 57 subjects (--json always lists them).",
        rich_help_panel=options.OUTPUT,
    ),
]


def list_tasks(every: EveryTask = False, as_json: options.AsJson = False) -> None:
    """List the built-in tasks with their kinds, sources and subjects."""
    from phraseproof.tasks import catalogue

    listings = catalogue()
    if not every and not as_json:
        listings = _subjects_on_one_line(listings)
    if as_json:
        terminal.print_json([listing._asdict() for listing in listings], indent=2)
        return
    rows = [("name", "kind", "category", "source", "about")]
    for listing in listings:
        kind = listing.kind.value if listing.kind else "several"
        rows.append((listing.name, kind, listing.category or "several", listing.source, listing.about))
    # Plain columns, not a fitted table: users copy names, so none may be cut, however narrow the terminal.
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    console = terminal.console()
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)]
        console.print("  ".join(cells), markup=False)


def _subjects_on_one_line(listings: Sequence[TaskListing]) -> list[TaskListing]:
    from phraseproof.tasks.mmlu import SUBJECTS

    names = {f"mmlu/{subject}" for subject in SUBJECTS}
    subjects = [listing for listing in listings if listing.name in names]
    about = f"one of {len(subjects)} subjects, as in {subjects[0].name}; --all names them"
    line = subjects[0]._replace(name="mmlu/SUBJECT", about=about)
    return [line if listing == subjects[0] else listing for listing in listings if listing not in subjects[1:]]
