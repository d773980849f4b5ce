"""`phraseproof instructions stats`: count, measure and compare collections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.completion import complete_instructions

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from phraseproof.instructions.statistics import CollectionStatistics, Statistics

_COLUMNS = {
    "multiple_choice": "QA",
    "multi_class": "MC",
    "binary": "BC",
    "summarization": "Sum",
    "translation": "Trans",
}
_SHOWN_PAIRS = 20


def stats(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="COLLECTION",
            help="Names of collections, or their YAML files.",
            autocompletion=complete_instructions,
        ),
    ],
    near: Annotated[
        float,
        typer.Option(
            "--near",
            help="The lowest ROUGE-2 (in percent) of two near-duplicate wordings.",
            rich_help_panel=options.STATISTICS,
        ),
    ] = 80.0,
    as_json: options.AsJson = False,
) -> None:
    """Count wordings as the paper's Table 2 does, with their length, vocabulary and similarity (ROUGE-2)."""
    from phraseproof.instructions.collections import load_collection
    from phraseproof.instructions.statistics import describe

    found = describe([load_collection(name) for name in names], near_duplicate=near / 100)
    if as_json:
        _print_json(found)
        return
    _print_counts(found.collections)
    _print_measures(found.collections)
    if found.between:
        _print_between(found)
    _print_near_duplicates(found, near)


def _print_json(found: Statistics) -> None:
    from dataclasses import asdict

    value = {
        "collections": [{**asdict(each), "length": each.length._asdict()} for each in found.collections],
        "between": [each._asdict() for each in found.between],
        "near_duplicates": [each._asdict() for each in found.near_duplicates],
    }
    terminal.print_json(value, indent=2)


def _print_counts(collections: Sequence[CollectionStatistics]) -> None:
    table = _table("wordings for", *_COLUMNS.values(), "any task", "one task", "per task", "in all")
    for each in collections:
        counts = {kind.value: count for kind, count in each.by_kind.items()}
        table.add_row(
            each.name,
            *(_count(counts[kind]) for kind in _COLUMNS),
            _count(each.any_task),
            f"{sum(each.by_task.values())} for {len(each.by_task)}" if each.by_task else "-",
            _per_task(list(each.by_task.values())),
            str(each.wordings),
        )
    _console().print(table)


def _print_measures(collections: Sequence[CollectionStatistics]) -> None:
    table = _table("", "words", "shortest", "longest", "vocabulary", "ROUGE-2 within")
    for each in collections:
        std = "" if each.length.std is None else f" ± {each.length.std:.1f}"
        table.add_row(
            each.name,
            f"{each.length.mean:.1f}{std}",
            str(each.length.least),
            str(each.length.greatest),
            str(each.vocabulary),
            "-" if each.rouge2 is None else f"{100 * each.rouge2:.1f}",
        )
    _console().print(table)


def _print_between(found: Statistics) -> None:
    table = _table("between", "and", "ROUGE-2", "to the nearest")
    for each in found.between:
        table.add_row(each.first, each.second, f"{100 * each.rouge2:.1f}", f"{100 * each.nearest:.1f}")
    _console().print(table)


def _print_near_duplicates(found: Statistics, near: float) -> None:
    pairs = found.near_duplicates
    if not pairs:
        typer.echo(f"No near-duplicates: no two wordings for the same task reach a ROUGE-2 of {near:g}.")
        return
    typer.echo(f"{len(pairs)} near-duplicate{'' if len(pairs) == 1 else 's'} (ROUGE-2 of {near:g} or more):")
    for each in pairs[:_SHOWN_PAIRS]:
        typer.echo(f"  {100 * each.rouge2:5.1f}  {each.first}  {each.second}")
    if len(pairs) > _SHOWN_PAIRS:
        typer.echo(f"  ... and {len(pairs) - _SHOWN_PAIRS} more; --json lists them all")


def _count(number: int) -> str:
    return str(number) if number else "-"


def _per_task(counts: Sequence[int]) -> str:
    if not counts:
        return "-"
    return str(counts[0]) if len(set(counts)) == 1 else f"{min(counts)}-{max(counts)}"


def _table(first: str, *columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, collapse_padding=True, title_justify="left")
    table.add_column(first, overflow="fold")
    for name in columns:
        table.add_column(name, justify="right" if name != "and" else "left", overflow="fold")
    return table


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)
