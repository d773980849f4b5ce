"""`phraseproof instructions perturb`: other wordings without a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli.inputs import refuse_to_overwrite
from phraseproof.cli.left_out import by_reason
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.instructions.collections import Collection
    from phraseproof.instructions.perturb import Perturbed

SOME_UNCHANGED = 4


def perturb(
    collection: Annotated[
        str, typer.Argument(metavar="COLLECTION", help="The collection to perturb: a name or a YAML file.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The YAML file to write.")],
    negate: Annotated[
        bool, typer.Option("--negate", help="Put one negation into every ask, by rule (English).")
    ] = False,
    nonsensical: Annotated[
        bool, typer.Option("--nonsensical", help="Replace every ask by a sentence that asks nothing.")
    ] = False,
    formats: Annotated[
        int | None, typer.Option("--format", metavar="N", help="Lay every wording out in N other ways.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
    sentences: Annotated[
        Path | None, typer.Option(help="Nonsense of your own for --nonsensical: a text file, one sentence a line.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The new collection's name; by default that of its file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Make negated, nonsensical or otherwise formatted wordings of a collection's (docs/wordings.md).

    What cannot be perturbed is listed with the reason, and left out (exit code 4).
    """
    from phraseproof.instructions.collections import load_collection
    from phraseproof.instructions.writing import write_collection

    if [negate, nonsensical, formats is not None].count(True) != 1:
        raise UsageError("one of --negate, --nonsensical and --format N is needed")
    if sentences is not None and not nonsensical:
        raise UsageError("sentences are for --nonsensical", where="--sentences")
    name = name or out.stem
    if out.suffix.lower() not in {".yaml", ".yml"}:
        raise UsageError(
            "not the name of a YAML file", expected="a name that ends in .yaml", got=str(out), where="--out"
        )
    if "/" in name or name != name.strip() or not name:
        raise UsageError("not a collection's name", expected="a name without a slash", got=name, where="--name")
    found = load_collection(collection)
    refuse_to_overwrite(out, found.path, sentences)
    result = _perturbed(found, negate=negate, formats=formats, seed=seed, sentences=sentences)
    if result.instructions:
        kind = "negated" if negate else "nonsensical" if nonsensical else "formatted otherwise"
        write_collection(out, name, result.instructions, remark=f"{found.name}, {kind} by phraseproof.")
    _print(result, out, as_json=as_json)
    if result.unchanged or not result.instructions:
        raise typer.Exit(SOME_UNCHANGED)


def _perturbed(found: Collection, *, negate: bool, formats: int | None, seed: int, sentences: Path | None) -> Perturbed:
    from phraseproof.instructions.perturb import formatted, negated, nonsensical
    from phraseproof.instructions.template import literal
    from phraseproof.typed_yaml import read_text

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
        import json

        value = {
            "out": str(out) if result.instructions else None,
            "made": [each.id for each in result.instructions],
            "unchanged": [each._asdict() for each in result.unchanged],
        }
        typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
        return
    typer.echo(f"{len(result.instructions):,} wordings" + (f", written to {out}" if result.instructions else ""))
    if result.unchanged:
        typer.echo(f"{len(result.unchanged):,} not made, or not all:")
    for line in by_reason(result.unchanged):
        typer.echo(line)
    if result.unchanged:
        typer.echo("--json names them all")
