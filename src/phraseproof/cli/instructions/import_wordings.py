"""`phraseproof instructions import`: convert wordings of other programs into collections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import options, terminal
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.instructions.importers import ParseResult

_SHOWN = 20
_SAMPLES = 2
_WIDTH = 90


def import_wordings(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="promptsource, flan, alpaca, instructioneval, paper, lm-eval, promptsuite, list (docs/importing.md).",
        ),
    ],
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A file of the source, or a folder (a checkout).")],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="The output folder. Each collection becomes a folder in it.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = Path("instructions"),
    name: Annotated[
        str | None,
        typer.Option(help="The collection's name. Default: the source's name.", rich_help_panel=options.OUTPUT),
    ] = None,
    serves: Annotated[
        list[str] | None,
        typer.Option(
            "--for",
            metavar="TASK",
            help="The task, category or kind that the wordings are for. Default: their data set. Repeatable.",
            rich_help_panel=options.INSTRUCTIONS,
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            help="Import only wordings whose id matches: --only 'super_glue/*'.", rich_help_panel=options.INSTRUCTIONS
        ),
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(
            metavar="THEIRS=YOURS",
            help="Rename a field of the source to your task's name for it. Repeatable.",
            rich_help_panel=options.INSTRUCTIONS,
        ),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            help="The layout of the example, for wordings that are only an ask (source list).",
            rich_help_panel=options.INSTRUCTIONS,
        ),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Import wordings from other programs' files. The files are read, and no code in them is run.

    Exits with 4 if some wordings cannot be represented; they are listed with the reason.
    """
    from phraseproof.instructions.importers import ImportRequest, find, write

    request = ImportRequest(
        name=_collection_name(name),
        serves=tuple(serves or ()),
        only=only,
        fields=_fields(field or []),
        layout=layout,
    )
    result = find(source, path, request)
    paths = write(result, out)
    if as_json:
        _print_json(result, paths)
    else:
        _print(result, out)
    if not paths and not result.refused:
        raise UsageError("no wording matches", got=f"--only {only}" if only else None, where=str(path))
    if result.refused:
        raise typer.Exit(4)


def _collection_name(name: str | None) -> str | None:
    from phraseproof.instructions.collections import TASK_DESIGNER, shipped_collections

    if name is None:
        return None
    if not name.strip() or name != name.strip() or not name.isprintable() or "/" in name or name.startswith("."):
        raise UsageError(
            "not a collection's name", expected="printable characters without a slash", got=name, where="--name"
        )
    if name == TASK_DESIGNER or name in shipped_collections():
        raise UsageError(
            f"the name {name!r} is taken", where="--name", hint="Choose a name that no shipped collection has"
        )
    return name


def _fields(pairs: list[str]) -> dict[str, str]:
    import re

    fields: dict[str, str] = {}
    for pair in pairs:
        theirs, equals, yours = pair.partition("=")
        if not equals or not re.fullmatch(r"[^\W\d]\w*", theirs) or not re.fullmatch(r"[^\W\d]\w*", yours):
            raise UsageError("not two names of a field", expected="THEIRS=YOURS", got=pair, where="--field")
        fields[theirs] = yours
    return fields


def _print(result: ParseResult, out: Path) -> None:
    from phraseproof.instructions.importers import count_reasons

    counts: dict[str, int] = {}
    for (collection, _), wordings in result.files.items():
        counts[collection] = counts.get(collection, 0) + len(wordings)
    for collection, count in counts.items():
        typer.echo(f"{collection}: {terminal.counted(count, 'wording')} in {out / collection}")
    read = terminal.counted(result.files_read, "file") + " read"
    if result.repeats:
        read += f", {terminal.counted(result.repeats, 'repeated wording')} left out"
    if not result.refused:
        typer.echo(f"{read}, every wording imported")
        return
    typer.echo(f"{read}, {terminal.counted(len(result.refused), 'wording')} cannot be represented:", err=True)
    for reason, count in count_reasons(result):
        typer.echo(f"{count:7,}  {reason}", err=True)
        of_reason = [refused for refused in result.refused if refused.reason == reason]
        for refused in of_reason if len(result.refused) <= _SHOWN else of_reason[:_SAMPLES]:
            detail = f": {_short(refused.detail)}" if refused.detail else ""
            typer.echo(f"         {refused.name}{detail}", err=True)
    if len(result.refused) > _SHOWN:
        typer.echo("--json lists them all, with their places", err=True)


def _print_json(result: ParseResult, paths: list[Path]) -> None:
    imported = [
        {"file": str(path), "collection": collection, "wordings": [each.id for each in wordings]}
        for path, ((collection, _), wordings) in zip(paths, result.files.items(), strict=True)
    ]
    refused = [each._asdict() for each in result.refused]
    value = {"files_read": result.files_read, "repeats": result.repeats, "imported": imported, "refused": refused}
    terminal.print_json(value, indent=2)


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "..."
