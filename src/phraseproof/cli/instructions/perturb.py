"""`phraseproof instructions perturb`: make negated, nonsensical or reformatted wordings, without a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.inputs import refuse_to_overwrite
from phraseproof.cli.left_out import by_reason
from phraseproof.cli.new_collection import check_names
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.instructions.collections import Collection
    from phraseproof.instructions.perturb import Perturbed

SOME_UNCHANGED = 4


def perturb(
    collection: options.CollectionName,
    out: Annotated[Path, typer.Option("--out", "-o", help="The YAML file to write.", rich_help_panel=options.OUTPUT)],
    negate: Annotated[
        bool,
        typer.Option(
            "--negate",
            help="Insert one negation into every ask, by rules for English.",
            rich_help_panel=options.INSTRUCTIONS,
        ),
    ] = False,
    nonsensical: Annotated[
        bool,
        typer.Option(
            "--nonsensical",
            help="Replace every ask by a sentence that asks nothing.",
            rich_help_panel=options.INSTRUCTIONS,
        ),
    ] = False,
    formats: Annotated[
        int | None,
        typer.Option(
            "--format",
            metavar="N",
            help="Write every wording in N other formats.",
            rich_help_panel=options.INSTRUCTIONS,
        ),
    ] = None,
    seed: options.Seed = 0,
    sentences: Annotated[
        Path | None,
        typer.Option(
            help="Your own sentences for --nonsensical: a text file with one per line.",
            rich_help_panel=options.INSTRUCTIONS,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="The new collection's name. Default: the name of its file.", rich_help_panel=options.OUTPUT),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Make negated, nonsensical or reformatted wordings from those of a collection (docs/wordings.md).

    Wordings that cannot be perturbed are left out and listed with the reason (exit code 4).
    """
    from phraseproof.instructions.collections import load_collection
    from phraseproof.instructions.writing import write_collection

    if [negate, nonsensical, formats is not None].count(True) != 1:
        raise UsageError("exactly one of --negate, --nonsensical and --format N is required")
    if sentences is not None and not nonsensical:
        raise UsageError("--sentences requires --nonsensical")
    name = name or out.stem
    check_names(out, name)
    found = load_collection(collection)
    refuse_to_overwrite(out, found.path, sentences)
    result = _perturbed(found, negate=negate, formats=formats, seed=seed, sentences=sentences)
    if result.instructions:
        kind = "negated" if negate else "nonsensical" if nonsensical else "in other formats"
        write_collection(out, name, result.instructions, remark=f"{found.name}, {kind} by phraseproof.")
    _print(result, out, as_json=as_json)
    if result.unchanged or not result.instructions:
        raise typer.Exit(SOME_UNCHANGED)


def _perturbed(found: Collection, *, negate: bool, formats: int | None, seed: int, sentences: Path | None) -> Perturbed:
    from phraseproof.instructions.perturb import formatted, negated, nonsensical
    from phraseproof.instructions.template import literal
    from phraseproof.yaml_document import read_text

    if negate:
        return negated(found)
    if formats is not None:
        return formatted(found, formats, seed=seed)
    own = None
    if sentences is not None:
        own = [literal(line.strip()) for line in read_text(sentences).splitlines() if line.strip()]
    return nonsensical(found, seed=seed, sentences=own)


def _print(result: Perturbed, out: Path, *, as_json: bool) -> None:
    if as_json:
        value = {
            "out": str(out) if result.instructions else None,
            "made": [each.id for each in result.instructions],
            "unchanged": [each._asdict() for each in result.unchanged],
        }
        terminal.print_json(value, indent=2)
        return
    typer.echo(f"{len(result.instructions):,} wordings" + (f", written to {out}" if result.instructions else ""))
    if result.unchanged:
        typer.echo(f"{len(result.unchanged):,} not made, or incomplete:")
    for line in by_reason(result.unchanged):
        typer.echo(line)
    if result.unchanged:
        typer.echo("--json lists them all")
