"""`phraseproof pairs`: make the training data of `align`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phraseproof.cli.inputs import refuse_to_overwrite
from phraseproof.cli.options import DataDir, Tasks, joined
from phraseproof.errors import UsageError

app = typer.Typer(help="Make training pairs for align: examples in several wordings.", no_args_is_help=True)

Out = Annotated[Path, typer.Option("--out", "-o", help="The JSON Lines file to write.")]


@app.command("from-task")
def from_task(
    tasks: Tasks,
    reference: Annotated[
        list[str],
        typer.Option(
            "--reference",
            "-r",
            metavar="WORDINGS",
            help="Collections of reference wordings, separated by commas; repeatable.",
        ),
    ],
    paraphrases: Annotated[
        list[str],
        typer.Option(
            "--paraphrases",
            "-p",
            metavar="WORDINGS",
            help="Collections of other wordings of the same, separated by commas; repeatable.",
        ),
    ],
    out: Out,
    negations: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORDINGS",
            help="Collections of negated wordings, separated by commas; repeatable. For methods negation and joint.",
        ),
    ] = None,
    data_dir: DataDir = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", help="At most so many pairs a task.")] = None,
    seed: Annotated[int, typer.Option(help="The seed of their draw.")] = 0,
) -> None:
    """Dress a task's training examples in a collection's wordings."""
    from phraseproof.alignment.pairs import pairs_from_task, save_pairs
    from phraseproof.evaluation.evaluate import load_wordings
    from phraseproof.instructions.collections import instructions_for
    from phraseproof.tasks import load_tasks

    def warn(message: str) -> None:
        typer.echo(f"warning: {message}", err=True)

    found = {
        name: load_wordings(joined(named)) if named else []
        for name, named in (("reference", reference), ("paraphrases", paraphrases), ("negations", negations))
    }
    pairs = []
    task_names = [name.strip() for name in joined(tasks).split(",") if name.strip()]
    refuse_to_overwrite(out, *map(Path, task_names), *(each.path for members in found.values() for each in members))
    for task in load_tasks(task_names, data_dir=data_dir, warn=warn):
        serving = {name: [i for c in members for i in instructions_for(c, task)] for name, members in found.items()}
        if not serving["reference"]:
            raise UsageError(f"no reference wording fits the task {task.name!r}", where="--reference")
        if negations and not serving["negations"]:
            raise UsageError(f"no negated wording fits the task {task.name!r}", where="--negations")
        if not task.demonstrations:
            warn(f"{task.name} brings no examples for training; the pairs are made of those it is tested on")
        pairs += pairs_from_task(
            task,
            serving["reference"],
            serving["paraphrases"],
            limit=limit,
            seed=seed,
            negations=serving["negations"],
        )
    bare = [pair.source for pair in pairs if negations and not pair.negations]
    if bare:
        warn(f"{len(bare)} of {len(pairs)} pairs have no negation that answers as their reference does: {bare[0]}, ...")
    save_pairs(pairs, out)
    typer.echo(f"{len(pairs)} pairs: {out}")


@app.command("from-alpaca")
def from_alpaca(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Alpaca's JSON: instruction, input, output.")],
    paraphrases: Annotated[
        Path,
        typer.Option(
            "--paraphrases", "-p", help="Paraphrases of its instructions, and negations if wanted (docs/align.md)."
        ),
    ],
    out: Out,
) -> None:
    """Join Alpaca examples with paraphrases of their asks."""
    from phraseproof.alignment.pairs import pairs_from_alpaca, save_pairs

    refuse_to_overwrite(out, file, paraphrases)
    pairs = pairs_from_alpaca(file, paraphrases)
    save_pairs(pairs, out)
    typer.echo(f"{len(pairs)} pairs: {out}")
