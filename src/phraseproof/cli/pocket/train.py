"""`phraseproof pocket train`: train a shipped tiny model again from random weights."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import options
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.pocket.training import Progress

_SECONDS_BETWEEN_LINES = 15.0


def train(
    out: Annotated[Path, typer.Option("--out", "-o", help="The model's folder.", rich_help_panel=options.OUTPUT)],
    size: Annotated[
        str,
        typer.Option(
            metavar="<tiny|small|medium|small-t5|tiny-base|tiny-base-long>",
            help="The model to train. The bases are not tuned.",
            rich_help_panel=options.MODEL,
        ),
    ] = "small",
    seed: Annotated[
        int, typer.Option(help="The seed of the weights and the lessons.", rich_help_panel=options.TRAINING)
    ] = 0,
    steps: Annotated[
        int | None,
        typer.Option(
            min=100,
            help="The number of steps, by default that of the recipe; more if the model has not learned the questions.",
            show_default=False,
            rich_help_panel=options.TRAINING,
        ),
    ] = None,
    threads: Annotated[
        int,
        typer.Option(
            min=1,
            help="The number of CPU threads. The last digits of the weights depend on it.",
            rich_help_panel=options.TRAINING,
        ),
    ] = 1,
    quiet: options.Quiet = False,
) -> None:
    """Train a pocket model by its recipe (docs/pocket.md) and write an ordinary transformers folder."""
    from phraseproof.pocket.recipe import RECIPES
    from phraseproof.pocket.talk_shares import measure
    from phraseproof.pocket.training import save
    from phraseproof.pocket.training import train as run

    if size not in RECIPES:
        raise UsageError("unknown size", expected=f"one of: {', '.join(RECIPES)}", got=size, where="--size")
    recipe = RECIPES[size]
    recipe = recipe if steps is None else recipe.shortened(steps)
    began = last_line = time.monotonic()

    def report(progress: Progress) -> None:
        nonlocal last_line
        now = time.monotonic()
        if quiet or now - last_line < _SECONDS_BETWEEN_LINES:
            return
        last_line = now
        left_s = (now - began) / progress.step * (progress.steps - progress.step)
        typer.echo(
            f"step {progress.step:,} of {progress.steps:,}, loss {progress.loss:.3f}, {left_s / 60:.0f} min left",
            err=True,
        )

    network = run(recipe, seed=seed, threads=threads, on_step=report)
    accuracies = measure(network)
    save(network, out)
    typer.echo(f"{out}: trained in {(time.monotonic() - began) / 60:.1f} minutes on {threads} CPU thread(s)", err=True)
    for kind, percent in accuracies.observed.items():
        other = accuracies.validation[kind]
        typer.echo(
            f"{kind}: {percent:.1f}% correct under observed wordings, {other:.1f}% under validation wordings", err=True
        )
    typer.echo(f"phraseproof pocket figures --model {out} --out {out}-run")
