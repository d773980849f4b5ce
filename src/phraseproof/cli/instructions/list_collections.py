"""`phraseproof instructions list`: list the collections of wordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.instructions.serving import names_served

if TYPE_CHECKING:
    from phraseproof.instructions.collections import Collection


def list_collections(as_json: options.AsJson = False) -> None:
    """List the shipped collections, those of installed packages, and your own in ./instructions."""
    from phraseproof.instructions.collections import own_folder

    shipped, own, unreadable = _collections()
    if as_json:
        listed = [_as_json(each.name, each) for each in shipped]
        listed += [_as_json(name, each) | {"path": str(each.path)} for name, each in own.items()]
        terminal.print_json(listed, indent=2)
    else:
        _print_table([*((each.name, each) for each in shipped), *own.items()])
        if own:
            typer.echo(f"Your own, in {own_folder()}/: {', '.join(own)}")
    for problem in unreadable:
        terminal.warn(f"left out: {problem}")


def _collections() -> tuple[list[Collection], dict[str, Collection], list[str]]:
    """The shipped collections, the user's own by name, and the problems of those that cannot be read."""
    from phraseproof.errors import PhraseproofError
    from phraseproof.instructions.collections import load_collection, own_collections, shipped_collections

    shipped = shipped_collections()
    own: dict[str, Collection] = {}
    unreadable: list[str] = []
    for name, path in own_collections().items():
        if name in shipped:
            unreadable.append(f"{path}: a shipped collection is also called {name!r}; name yours by its path")
            continue
        try:
            own[name] = load_collection(str(path))
        except PhraseproofError as error:
            unreadable.append(str(error))
    return [load_collection(name) for name in shipped], own, unreadable


def _as_json(name: str, collection: Collection) -> dict[str, object]:
    wordings = collection.instructions
    return {
        "name": name,
        "wordings": len(wordings),
        "serves": names_served(collection),
        "authors": sorted({each.author for each in wordings if each.author}),
        "licences": _licences(collection),
    }


def _licences(collection: Collection) -> list[str]:
    return sorted({each.licence for each in collection.instructions if each.licence})


def _print_table(collections: list[tuple[str, Collection]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("wordings", justify="right", no_wrap=True)
    table.add_column("serves")
    table.add_column("licence")
    for name, each in collections:
        cells = (_summarized(names_served(each)), ", ".join(_licences(each)) or "-")
        table.add_row(escape(name), f"{len(each.instructions):,}", *map(escape, cells))
    terminal.console().print(table)


def _summarized(serves: list[str], most: int = 3) -> str:
    """The kinds by name, and the tasks by name if they are few."""
    from phraseproof.core import Kind

    kinds = [kind.value for kind in Kind if kind.value in serves]
    others = [name for name in serves if name not in kinds]
    shown = others if len(others) <= most else [f"{len(others)} tasks"]
    return ", ".join([*kinds, *shown]) or "any task"
