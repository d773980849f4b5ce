"""`phraseproof harden`: measure, train on some wordings, measure again on wordings that training never saw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli.options import (
    DataDir,
    Device,
    Dtype,
    MaxLength,
    ModelArg,
    RemoteCode,
    Revision,
    Tasks,
    joined,
    model_options,
)

if TYPE_CHECKING:
    from phraseproof.harden import HardenResult


def harden(
    model: Annotated[str, typer.Option("--model", "-m", help="A Hugging Face hub id, a model folder, or pocket.")],
    tasks: Tasks,
    instructions: Annotated[
        list[str],
        typer.Option(
            "--instructions",
            "-i",
            metavar="WORDINGS",
            help="Collections of wordings, separated by commas; repeatable. They are split in two.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Gets the runs and the adapter; the same command goes on there.")
    ],
    data_dir: DataDir = None,
    held_out: Annotated[float, typer.Option(help="The share of wordings that training never sees.")] = 0.5,
    training_share: Annotated[
        float, typer.Option(help="The share of a task's examples to train on, unless it brings some for that.")
    ] = 0.5,
    max_pairs: Annotated[int, typer.Option(help="At most so many training pairs a task.")] = 1000,
    limit: Annotated[int | None, typer.Option("--limit", "-n", help="At most so many test examples a task.")] = None,
    seed: Annotated[int, typer.Option(help="Of the splits, the training and the interval.")] = 0,
    method: Annotated[str, typer.Option(help="How to train; phraseproof align --help lists the methods.")] = "pt+kl",
    num_tokens: Annotated[int, typer.Option(help="Vectors of the soft prompt.")] = 10,
    placement: Annotated[str, typer.Option(help="Where the soft prompt stands: input or layers.")] = "input",
    init: Annotated[
        str, typer.Option(help="What it begins with: random-vocabulary, an adapter's folder, or a text.")
    ] = "random-vocabulary",
    lambda_: Annotated[float, typer.Option("--lambda", help="The weight of the KL term, 0 to 1.")] = 0.8,
    learning_rate: Annotated[float, typer.Option("--learning-rate", "--lr", help="The learning rate of AdamW.")] = 5e-4,
    max_steps: Annotated[int | None, typer.Option(help="Stop training after so many steps.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Times through the pairs; 5 if no --max-steps is given.")] = None,
    early_stopping_patience: Annotated[
        int | None, typer.Option(help="Stop after so many looks at held-out pairs without a lower loss.")
    ] = None,
    prompt_format: Annotated[
        str, typer.Option(help="plain, alpaca, chat, or auto (what the model declares).")
    ] = "auto",
    dtype: Dtype = "auto",
    device: Device = "auto",
    max_length: MaxLength = None,
    revision: Revision = None,
    trust_remote_code: RemoteCode = False,
    model_arg: ModelArg = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result for programs.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only warnings.")] = False,
) -> None:
    """Train an adapter on half the wordings, and say with an interval whether it helps on the others."""
    from phraseproof.alignment.settings import AlignmentSettings
    from phraseproof.cli.progress import ProgressBar
    from phraseproof.cli.training_progress import TrainingBar
    from phraseproof.evaluation.evaluate import load_wordings
    from phraseproof.harden import HardenSettings
    from phraseproof.harden import run_hardening as run
    from phraseproof.tasks import load_tasks

    alignment = AlignmentSettings(
        method=method,
        num_tokens=num_tokens,
        placement=placement,  # pyright: ignore[reportArgumentType] - checked there, with a line for the user
        init=init,
        lambda_=lambda_,
        learning_rate=learning_rate,
        max_steps=max_steps,
        epochs=epochs,
        early_stopping_patience=early_stopping_patience,
        prompt_format=prompt_format,
        seed=seed,
    )
    settings = HardenSettings(
        alignment=alignment,
        held_out_share=held_out,
        training_share=training_share,
        max_pairs=max_pairs,
        limit=limit,
        seed=seed,
    )
    options = model_options(
        adapter=None,
        dtype=dtype,
        device=device,
        batch_size="auto",
        max_length=max_length,
        revision=revision,
        trust_remote_code=trust_remote_code,
        model_arg=model_arg or [],
    )
    progress = ProgressBar(quiet=quiet)
    names = [name.strip() for name in joined(tasks).split(",") if name.strip()]
    with TrainingBar(quiet=quiet) as training:
        result = run(
            model,
            load_tasks(names, data_dir=data_dir, warn=progress.warned),
            load_wordings(joined(instructions)),
            out,
            settings,
            model_options=options,
            observers=(progress, training),
        )
    _print(result, as_json=as_json)


def _print(result: HardenResult, *, as_json: bool) -> None:
    gain = result.gain
    assert gain.low is not None, "the gain has an interval"
    assert gain.high is not None, "the gain has an interval"
    if as_json:
        import json

        typer.echo(
            json.dumps(
                {
                    "verdict": result.verdict,
                    "before_percent": 100 * result.before,
                    "after_percent": 100 * result.after,
                    "gain_percentage_points": 100 * gain.estimate,
                    "gain_low": 100 * gain.low,
                    "gain_high": 100 * gain.high,
                    "n": gain.n,
                    "method": gain.method,
                    "references": dict(result.references),
                    "trained_wordings": list(result.trained),
                    "held_out_wordings": list(result.held_out),
                    "base_run": str(result.base.path),
                    "hardened_run": str(result.hardened.path),
                    "folder": str(result.folder),
                }
            )
        )
        return
    typer.echo(f"trained on {len(result.trained)} wordings, measured on {len(result.held_out)} others\n")
    typer.echo(f"base      {100 * result.before:6.1f}%")
    typer.echo(f"hardened  {100 * result.after:6.1f}%")
    typer.echo(
        f"gain      {100 * gain.estimate:+6.1f} points, 95% interval {100 * gain.low:+.1f} to {100 * gain.high:+.1f}"
    )
    said = {
        "helped": "It helped on wordings it never saw.",
        "hurt": "It hurt on wordings it never saw.",
        "not shown": "The interval holds zero: not shown to help or to hurt.",
    }
    typer.echo(f"\n{said[result.verdict]} ({gain.method}, n = {gain.n:,})")
    typer.echo(f"kept in {result.folder}; runs: {result.base.path}, {result.hardened.path}", err=True)
