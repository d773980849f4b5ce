"""`phraseproof harden`: measure a model, train it on some wordings, and measure it again on others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import option_values, options, terminal
from phraseproof.cli import training_options as training
from phraseproof.cli.training_options import DEFAULTS

if TYPE_CHECKING:
    from phraseproof.hardening import HardenResult


def harden(
    model: options.TrainableModel,
    tasks: options.Tasks,
    instructions: Annotated[
        list[str],
        typer.Option(
            "--instructions",
            "-i",
            metavar="WORDINGS",
            help="Collections of wordings, separated by commas, to split into training and held-out ones. Repeatable.",
            rich_help_panel=options.INSTRUCTIONS,
            autocompletion=options.complete_instructions,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="The folder for the runs and the adapter. The same command resumes a stopped run.",
            rich_help_panel=options.OUTPUT,
        ),
    ],
    data_dir: options.DataDir = None,
    held_out: Annotated[
        float,
        typer.Option(help="The share of wordings that training never sees.", rich_help_panel=options.INSTRUCTIONS),
    ] = 0.5,
    training_share: Annotated[
        float,
        typer.Option(
            help="The share of a task's examples to train on, if it has no demonstrations.",
            rich_help_panel=options.DATA,
        ),
    ] = 0.5,
    max_pairs: Annotated[
        int, typer.Option(help="The maximum number of training pairs per task.", rich_help_panel=options.DATA)
    ] = 1000,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", "-n", help="The maximum number of test examples per task.", rich_help_panel=options.DATA
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="The seed of the splits, the training and the interval.", rich_help_panel=options.DATA)
    ] = 0,
    method: training.Method = DEFAULTS.method,
    num_tokens: training.NumTokens = DEFAULTS.num_tokens,
    placement: training.Placement = DEFAULTS.placement,
    init: training.Init = DEFAULTS.init,
    lambda_: training.Lambda = DEFAULTS.lambda_,
    learning_rate: training.LearningRate = DEFAULTS.learning_rate,
    max_steps: training.MaxSteps = DEFAULTS.max_steps,
    epochs: training.Epochs = DEFAULTS.epochs,
    early_stopping_patience: training.EarlyStoppingPatience = DEFAULTS.early_stopping_patience,
    prompt_format: options.PromptFormat = DEFAULTS.prompt_format,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    max_length: options.MaxLength = None,
    revision: options.Revision = None,
    trust_remote_code: options.RemoteCode = False,
    model_arg: options.ModelArg = None,
    chat_template: options.ChatTemplate = None,
    chat_template_arg: options.ChatTemplateArg = None,
    chat_date: options.ChatDate = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Train an adapter on some wordings, and measure the gain on the other wordings, with an interval."""
    from phraseproof.cli.progress import ProgressBar
    from phraseproof.cli.stopping import stoppable
    from phraseproof.cli.training_progress import TrainingBar
    from phraseproof.hardening import harden as run

    progress = ProgressBar(quiet=quiet)
    with stoppable(), TrainingBar(quiet=quiet) as bar:
        result = run(
            model,
            option_values.joined(tasks),
            option_values.joined(instructions),
            out,
            data_dir=data_dir,
            held_out_share=held_out,
            training_share=training_share,
            max_pairs=max_pairs,
            limit=limit,
            seed=seed,
            method=method,
            num_tokens=num_tokens,
            placement=placement,
            init=init,
            lambda_=lambda_,
            learning_rate=learning_rate,
            max_steps=max_steps,
            epochs=epochs,
            early_stopping_patience=early_stopping_patience,
            prompt_format=prompt_format,
            model_options=option_values.model_options(
                adapter=None,
                dtype=dtype,
                device=device,
                batch_size="auto",
                max_length=max_length,
                revision=revision,
                trust_remote_code=trust_remote_code,
                model_arg=model_arg or [],
                chat_template=chat_template,
                chat_template_arg=chat_template_arg,
                chat_date=chat_date,
            ),
            observer=progress,
            alignment_observer=bar,
        )
    _print(result, as_json=as_json)


def _print(result: HardenResult, *, as_json: bool) -> None:
    gain = result.gain
    assert gain.low is not None, "the gain has an interval"
    assert gain.high is not None, "the gain has an interval"
    if as_json:
        terminal.print_json(
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
        return
    typer.echo(f"trained on {len(result.trained)} wordings, measured on {len(result.held_out)} others\n")
    typer.echo(f"base      {100 * result.before:6.1f}%")
    typer.echo(f"hardened  {100 * result.after:6.1f}%")
    typer.echo(
        f"gain      {100 * gain.estimate:+6.1f} points, 95% interval {100 * gain.low:+.1f} to {100 * gain.high:+.1f}"
    )
    conclusions = {
        "helped": "Training improved accuracy on unseen wordings.",
        "hurt": "Training reduced accuracy on unseen wordings.",
        "not shown": "The interval contains zero: no effect of training is shown.",
    }
    typer.echo(f"\n{conclusions[result.verdict]} ({gain.method}, n = {gain.n:,})")
    typer.echo(f"{result.folder}; runs: {result.base.path}, {result.hardened.path}", err=True)
