"""`phraseproof pocket`: the shipped tiny model, trained again from nothing, and its figures."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from phraseproof.errors import UsageError

app = typer.Typer(help="Train the shipped tiny model again, and measure it.", no_args_is_help=True)

_SECONDS_BETWEEN_LINES = 15.0


@app.command(short_help="Train the tiny model from nothing.")
def train(
    out: Annotated[Path, typer.Option("--out", "-o", help="The model's folder.")],
    size: Annotated[str, typer.Option(help="tiny, small or medium, or small-t5: those that ship.")] = "small",
    seed: Annotated[int, typer.Option(help="Of the weights and the lessons.")] = 0,
    steps: Annotated[
        int | None,
        typer.Option(
            min=100,
            help="About so many steps, where the recipe has its own number; questions go on until they are understood.",
            show_default=False,
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads; the weights depend on it in the last digits.")] = 1,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only warnings.")] = False,
) -> None:
    """Train the pocket's model by its recipe (docs/pocket.md); writes an ordinary transformers folder."""
    from phraseproof.pocket.dosage import read
    from phraseproof.pocket.training import RECIPES, Progress, save, train

    if size not in RECIPES:
        raise UsageError("unknown size", expected=", ".join(RECIPES), got=size, where="--size")
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

    network = train(recipe, seed=seed, threads=threads, on_step=report)
    reading = read(network)
    save(network, out)
    typer.echo(f"{out}: trained in {(time.monotonic() - began) / 60:.1f} minutes on {threads} CPU thread(s)", err=True)
    for kind, percent in reading.observed.items():
        lost = reading.lost(kind)
        typer.echo(
            f"{kind}: {percent:.1f}% right in observed wordings, {lost:.1f} points less in validation ones", err=True
        )
    typer.echo(f"phraseproof pocket figures --model {out} --out {out}-run")


@app.command(short_help="Measure a model on the pocket's tasks.")
def figures(
    out: Annotated[Path, typer.Option("--out", "-o", help="The run's folder.")],
    model: Annotated[str, typer.Option("--model", "-m", help="A hub id or a model folder.")] = "pocket",
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many questions of each task.")] = None,
) -> None:
    """Evaluate with observed and test wordings; print each kind's accuracy as the model card has it (Markdown)."""
    from phraseproof.cli.progress import ProgressBar
    from phraseproof.evaluation.evaluate import evaluate
    from phraseproof.pocket.figures import figures as measure

    with ProgressBar() as progress:
        run = evaluate(
            model,
            "pocket",
            {"observed": "pocket-observed", "test": "pocket-test"},
            out,
            limit=limit,
            observer=progress,
        )
    typer.echo("| kind | observed wordings, % | test wordings, % | difference, points |\n|---|---|---|---|")
    for kind, *intervals in measure(run, "observed", "test"):
        cells = " | ".join(f"{one.percent:.1f} ({one.low:.1f} to {one.high:.1f})" for one in intervals)
        typer.echo(f"| {kind} | {cells} |")


@app.command(short_help="Write the tasks and wordings anew.")
def data(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The folder for tasks/ and wordings/, as they ship with phraseproof.")
    ],
) -> None:
    """Write the pocket's questions and wordings, the same bytes every time, as the files that ship."""
    from phraseproof.pocket.publish import publish

    for path in publish(out / "tasks", out / "wordings"):
        typer.echo(path)
