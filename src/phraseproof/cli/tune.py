"""`phraseproof tune`: train all weights of a model on examples of instructions and answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import option_values, options, terminal
from phraseproof.cli import training_options as training
from phraseproof.cli.training_forecast import print_line, print_losses, print_time_and_memory, print_tokens
from phraseproof.cli.worker_options import NoWorkers, refuse_workers
from phraseproof.errors import UsageError
from phraseproof.tuning.settings import TooLong, TuningSettings

if TYPE_CHECKING:
    from phraseproof.tuning.forecast import TuningForecast
    from phraseproof.tuning.trainer import TuningResult

_DEFAULTS = TuningSettings()


def tune(
    model: options.TrainableModel,
    data: Annotated[
        list[Path],
        typer.Option(
            "--data",
            "-d",
            metavar="FILE",
            help="The training data: Alpaca-format JSON, prompts and answers, or pairs (docs/tune.md). Repeatable.",
            rich_help_panel=options.DATA,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="The folder of the tuned model. The same command resumes a stopped training.",
            rich_help_panel=options.OUTPUT,
        ),
    ],
    validation: training.Validation = None,
    learning_rate: Annotated[
        float,
        typer.Option("--learning-rate", "--lr", help="The learning rate of AdamW.", rich_help_panel=options.TRAINING),
    ] = _DEFAULTS.learning_rate,
    weight_decay: Annotated[
        float,
        typer.Option(
            help="The weight decay of AdamW, without biases and normalization.", rich_help_panel=options.TRAINING
        ),
    ] = _DEFAULTS.weight_decay,
    schedule: training.Schedule = _DEFAULTS.schedule,
    warmup_ratio: Annotated[
        float,
        typer.Option(
            help="The share of the steps over which the learning rate rises from 0.", rich_help_panel=options.TRAINING
        ),
    ] = _DEFAULTS.warmup_ratio,
    epochs: Annotated[
        int, typer.Option(help="The number of passes through the examples.", rich_help_panel=options.TRAINING)
    ] = _DEFAULTS.epochs,
    max_steps: training.MaxSteps = _DEFAULTS.max_steps,
    examples_per_step: Annotated[
        int,
        typer.Option(help="The number of examples per step, over all processes.", rich_help_panel=options.TRAINING),
    ] = _DEFAULTS.examples_per_step,
    examples_per_pass: Annotated[
        int,
        typer.Option(
            help="The number of examples that a process runs at once: less memory with fewer, equal steps.",
            rich_help_panel=options.TRAINING,
        ),
    ] = _DEFAULTS.examples_per_pass,
    max_tokens: Annotated[
        int,
        typer.Option(
            help="The maximum number of tokens of prompt and answer; of each of them in an encoder-decoder.",
            rich_help_panel=options.TRAINING,
        ),
    ] = _DEFAULTS.max_tokens,
    too_long: Annotated[
        TooLong,
        typer.Option(
            help="truncate: cut the end of answers that are too long. skip: leave such examples out.",
            rich_help_panel=options.TRAINING,
        ),
    ] = _DEFAULTS.too_long,
    max_grad_norm: training.MaxGradNorm = 1.0,
    seed: Annotated[
        int, typer.Option(help="The seed of the order of the examples.", rich_help_panel=options.TRAINING)
    ] = _DEFAULTS.seed,
    keep_epochs: training.KeepEpochs = None,
    save_every: training.SaveEvery = _DEFAULTS.save_every,
    save_every_seconds: training.SaveEverySeconds = _DEFAULTS.save_every_seconds,
    prompt_format: options.PromptFormat = _DEFAULTS.prompt_format,
    gradient_checkpointing: training.GradientCheckpointing = False,
    mixed_precision: training.MixedPrecision = _DEFAULTS.mixed_precision,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    revision: options.Revision = None,
    trust_remote_code: options.RemoteCode = False,
    model_arg: options.ModelArg = None,
    chat_template: options.ChatTemplate = None,
    chat_template_arg: options.ChatTemplateArg = None,
    chat_date: options.ChatDate = None,
    workers: NoWorkers = None,
    dry_run: training.DryRun = False,
    timing: training.Timing = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Train all weights of a model on instructions and their answers. Writes an ordinary model folder."""
    refuse_workers(workers, "tune")
    settings = TuningSettings(
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        schedule=schedule,
        warmup_ratio=warmup_ratio,
        epochs=epochs,
        max_steps=max_steps,
        examples_per_step=examples_per_step,
        examples_per_pass=examples_per_pass,
        max_tokens=max_tokens,
        too_long=too_long,
        max_grad_norm=max_grad_norm,
        prompt_format=prompt_format,
        seed=seed,
        keep_epochs=training.read_epochs(keep_epochs),
        save_every=save_every,
        save_every_seconds=save_every_seconds,
        gradient_checkpointing=gradient_checkpointing,
        mixed_precision=mixed_precision,
    )
    loading = option_values.model_options(
        adapter=None,
        dtype=dtype,
        device=device,
        batch_size="auto",
        revision=revision,
        trust_remote_code=trust_remote_code,
        model_arg=model_arg or [],
        chat_template=chat_template,
        chat_template_arg=chat_template_arg,
        chat_date=chat_date,
    )
    files = training.read_validation(validation)

    from phraseproof.cli.stopping import stoppable
    from phraseproof.cli.training_progress import TrainingBar
    from phraseproof.tuning.trainer import forecast_run, run_tuning

    if dry_run:
        found = forecast_run(model, data, settings, validation=files, model_options=loading, is_timed=timing)
        _print_forecast(found, settings, as_json=as_json)
        return
    if timing is not None:
        raise UsageError("--timing requires --dry-run")
    with stoppable(), TrainingBar(quiet=quiet) as bar:
        result = run_tuning(model, data, out, settings, validation=files, model_options=loading, observer=bar)
    _print_result(result, as_json=as_json)


def _print_forecast(forecast: TuningForecast, settings: TuningSettings, *, as_json: bool) -> None:
    if as_json:
        terminal.print_json(forecast.as_record())
        return
    print_line(
        "steps", f"{forecast.steps:,}", f"{settings.examples_per_step} examples each; {forecast.epochs:.3g} epochs"
    )
    print_line("examples", f"{forecast.examples:,}", "to train on")
    for name, count in forecast.validation.items():
        print_line(f"validation {name}", f"{count:,}", f"examples, {forecast.evaluations} evaluations")
    print_tokens(forecast, "in answers")
    epoch = forecast.epoch_tokens
    print_line("tokens per epoch", f"{epoch.read:,}", f"{epoch.trained:,} of them in answers")
    print_time_and_memory(forecast)
    for note in forecast.notes:
        terminal.note(note)


def _print_result(result: TuningResult, *, as_json: bool) -> None:
    if as_json:
        terminal.print_json(
            {
                "folder": str(result.folder),
                "steps": result.steps,
                "epochs": {str(epoch): str(folder) for epoch, folder in result.epochs.items()},
                "validation": {str(epoch): losses.as_record() for epoch, losses in result.validation.items()},
                "tokens": result.tokens._asdict(),
                "seconds": result.seconds,
            }
        )
        return
    tokens = f"{result.tokens.read:,} tokens, {result.tokens.trained:,} of them in answers"
    steps = terminal.counted(result.steps, "step")
    typer.echo(f"model: {result.folder} ({steps}, {tokens}, {result.seconds:.0f} s)")
    print_losses(
        "loss after epoch",
        {
            epoch: {name: each.loss for name, each in losses.files.items()}
            for epoch, losses in result.validation.items()
        },
    )
    typer.echo(f"Measure it with: phraseproof evaluate --model {result.folder} ...", err=True)
