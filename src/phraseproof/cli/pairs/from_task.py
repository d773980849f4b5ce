"""`phraseproof pairs from-task`: training data from a task's examples under the wordings of collections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import option_values, options, terminal
from phraseproof.cli.inputs import refuse_to_overwrite
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.alignment.pairs.paraphrase_set import ParaphraseSet
    from phraseproof.instructions.collections import Collection

Out = Annotated[Path, typer.Option("--out", "-o", help="The JSON Lines file to write.", rich_help_panel=options.OUTPUT)]


def from_task(
    tasks: options.Tasks,
    reference: Annotated[
        list[str],
        typer.Option(
            "--reference",
            "-r",
            metavar="WORDINGS",
            help="Collections of reference wordings, separated by commas. Repeatable.",
            rich_help_panel=options.INSTRUCTIONS,
            autocompletion=options.complete_instructions,
        ),
    ],
    paraphrases: Annotated[
        list[str],
        typer.Option(
            "--paraphrases",
            "-p",
            metavar="WORDINGS",
            help="Collections of paraphrased wordings, separated by commas. Repeatable.",
            rich_help_panel=options.INSTRUCTIONS,
            autocompletion=options.complete_instructions,
        ),
    ],
    out: Out,
    negations: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORDINGS",
            help="Collections of negated wordings, separated by commas, for the methods negation and joint. "
            "Repeatable.",
            rich_help_panel=options.INSTRUCTIONS,
            autocompletion=options.complete_instructions,
        ),
    ] = None,
    data_dir: options.DataDir = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", help="The maximum number of pairs per task.", rich_help_panel=options.DATA),
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed of the draw for --limit.", rich_help_panel=options.DATA)] = 0,
) -> None:
    """Render a task's training examples under the wordings of collections."""
    from phraseproof.alignment.pairs import pairs_from_task, save_pairs
    from phraseproof.instructions.collections import instructions_for
    from phraseproof.tasks import load_tasks

    found = {
        name: _collections(named)
        for name, named in (("reference", reference), ("paraphrases", paraphrases), ("negations", negations))
    }
    pairs: list[ParaphraseSet] = []
    task_names = [name.strip() for name in option_values.joined(tasks).split(",") if name.strip()]
    refuse_to_overwrite(out, *map(Path, task_names), *(each.path for members in found.values() for each in members))
    for task in load_tasks(task_names, data_dir=data_dir, warn=terminal.warn):
        serving = {name: [i for c in members for i in instructions_for(c, task)] for name, members in found.items()}
        if not serving["reference"]:
            raise UsageError(f"no reference wording fits the task {task.name!r}", where="--reference")
        if negations and not serving["negations"]:
            raise UsageError(f"no negated wording fits the task {task.name!r}", where="--negations")
        if not task.demonstrations:
            terminal.warn(f"{task.name} has no demonstrations to train on; the pairs use its test examples")
        pairs += pairs_from_task(
            task,
            serving["reference"],
            serving["paraphrases"],
            limit=limit,
            seed=seed,
            negations=serving["negations"],
            warn=terminal.warn,
        )
    bare = [pair.source for pair in pairs if negations and not pair.negations]
    if bare:
        terminal.warn(
            f"{len(bare)} of {len(pairs)} pairs have no negation that writes the answer as their reference does: "
            f"{bare[0]}, ..."
        )
    save_pairs(pairs, out)
    typer.echo(f"{len(pairs)} pairs: {out}")


def _collections(named: Sequence[str] | None) -> list[Collection]:
    from phraseproof.instructions.collections import load_collection

    return [load_collection(name.strip()) for name in option_values.joined(named).split(",") if name.strip()]
