"""`phraseproof pairs from-alpaca`: training data from Alpaca-format data and paraphrases of its instructions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phraseproof.cli import options
from phraseproof.cli.inputs import refuse_to_overwrite
from phraseproof.cli.pairs.from_task import Out


def from_alpaca(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Data in Alpaca's JSON format: instruction, input, output.")
    ],
    paraphrases: Annotated[
        Path,
        typer.Option(
            "--paraphrases",
            "-p",
            help="Paraphrases of the data's instructions and, optionally, negations (docs/align.md).",
            rich_help_panel=options.INSTRUCTIONS,
        ),
    ],
    out: Out,
) -> None:
    """Join Alpaca examples with paraphrases of their instructions."""
    from phraseproof.alignment.pairs import pairs_from_alpaca, save_pairs

    refuse_to_overwrite(out, file, paraphrases)
    pairs = pairs_from_alpaca(file, paraphrases)
    save_pairs(pairs, out)
    typer.echo(f"{len(pairs)} pairs: {out}")
