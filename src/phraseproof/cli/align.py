"""`phraseproof align`: train a soft prompt, a low-rank adapter or all weights on examples under several wordings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import option_values, options, terminal
from phraseproof.cli import training_options as training
from phraseproof.cli.training_forecast import print_losses
from phraseproof.cli.training_options import DEFAULTS
from phraseproof.cli.worker_options import NoWorkers, refuse_workers
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.alignment.loop.held_out import HeldOut
    from phraseproof.alignment.prepared_training import AlignmentResult


def align(
    ctx: typer.Context,
    model: options.TrainableModel,
    pairs: Annotated[
        Path,
        typer.Option(
            "--pairs",
            "-p",
            help="The training data: a JSON Lines file of examples under several wordings (docs/align.md).",
            rich_help_panel=options.DATA,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="The adapter's folder. The same command resumes a stopped training.",
            rich_help_panel=options.OUTPUT,
        ),
    ],
    validation: training.Validation = None,
    method: training.Method = DEFAULTS.method,
    num_tokens: training.NumTokens = DEFAULTS.num_tokens,
    placement: training.Placement = DEFAULTS.placement,
    init: training.Init = DEFAULTS.init,
    rank: training.Rank = DEFAULTS.rank,
    lora_alpha: training.LoraAlpha = DEFAULTS.lora_alpha,
    lora_dropout: training.LoraDropout = DEFAULTS.lora_dropout,
    target_modules: training.TargetModules = DEFAULTS.target_modules,
    lambda_: training.Lambda = DEFAULTS.lambda_,
    kl_schedule: training.KLSchedule = DEFAULTS.kl_schedule,
    kl_direction: training.KLDirection = DEFAULTS.kl_direction,
    labels: training.Labels = DEFAULTS.labels,
    guard: training.Guard = DEFAULTS.guard,
    learning_rate: training.LearningRate = DEFAULTS.learning_rate,
    weight_decay: Annotated[
        float, typer.Option(help="The weight decay of AdamW.", rich_help_panel=options.TRAINING)
    ] = DEFAULTS.weight_decay,
    paraphrases_per_batch: training.ParaphrasesPerBatch = DEFAULTS.paraphrases_per_batch,
    gradient_accumulation: training.GradientAccumulation = DEFAULTS.gradient_accumulation,
    schedule: training.Schedule = DEFAULTS.schedule,
    warmup_steps: Annotated[
        int,
        typer.Option(
            help="The number of steps over which the learning rate rises from 0.", rich_help_panel=options.TRAINING
        ),
    ] = DEFAULTS.warmup_steps,
    max_steps: training.MaxSteps = DEFAULTS.max_steps,
    epochs: training.Epochs = DEFAULTS.epochs,
    keep_epochs: training.KeepEpochs = None,
    seed: training.TrainingSeed = DEFAULTS.seed,
    reference_gradient: Annotated[
        bool,
        typer.Option(
            "--reference-gradient",
            help="Let gradients flow through the reference's distribution. Training may then collapse.",
            rich_help_panel=options.TRAINING,
        ),
    ] = False,
    push_bound: Annotated[
        float,
        typer.Option(
            help="The maximum gain, in nats per token, from pushing two wordings apart.",
            rich_help_panel=options.TRAINING,
        ),
    ] = 1.0,
    held_out_fraction: Annotated[
        float,
        typer.Option(help="The share of pairs and wordings to hold out.", rich_help_panel=options.TRAINING),
    ] = DEFAULTS.held_out_fraction,
    eval_every: Annotated[
        int | None,
        typer.Option(
            help="The number of steps between evaluations on held-out pairs. Default: an epoch.",
            show_default=False,
            rich_help_panel=options.TRAINING,
        ),
    ] = DEFAULTS.eval_every,
    early_stopping_patience: training.EarlyStoppingPatience = DEFAULTS.early_stopping_patience,
    max_grad_norm: training.MaxGradNorm = 1.0,
    save_every: training.SaveEvery = DEFAULTS.save_every,
    save_every_seconds: training.SaveEverySeconds = DEFAULTS.save_every_seconds,
    merge: Annotated[
        bool,
        typer.Option(
            "--merge",
            help="Also write the model with the low-rank adapter in its weights, to OUT/merged (lora, dora).",
            rich_help_panel=options.OUTPUT,
        ),
    ] = False,
    prompt_format: options.PromptFormat = DEFAULTS.prompt_format,
    gradient_checkpointing: training.GradientCheckpointing = False,
    mixed_precision: training.MixedPrecision = DEFAULTS.mixed_precision,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    max_length: options.MaxLength = None,
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
    """Train on examples under several wordings. Writes an adapter for PEFT and `evaluate --adapter`."""
    from phraseproof.alignment.settings import AlignmentSettings
    from phraseproof.cli.training_progress import TrainingBar

    refuse_workers(workers, "align")
    training.refuse_unused(ctx, [method])
    settings = AlignmentSettings(
        method=method,
        num_tokens=num_tokens,
        placement=placement,
        init=init,
        rank=rank,
        lora_alpha=lora_alpha,
        lora_dropout=lora_dropout,
        target_modules=target_modules,
        lambda_=lambda_,
        kl_schedule=kl_schedule,
        kl_direction=kl_direction,
        labels=labels,
        guard=guard,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        paraphrases_per_batch=paraphrases_per_batch,
        gradient_accumulation=gradient_accumulation,
        schedule=schedule,
        warmup_steps=warmup_steps,
        max_steps=max_steps,
        epochs=epochs,
        keep_epochs=training.read_epochs(keep_epochs),
        seed=seed,
        detach_reference=not reference_gradient,
        push_bound=push_bound,
        eval_every=eval_every,
        early_stopping_patience=early_stopping_patience,
        max_grad_norm=max_grad_norm,
        prompt_format=prompt_format,
        save_every=save_every,
        save_every_seconds=save_every_seconds,
        held_out_fraction=held_out_fraction,
        gradient_checkpointing=gradient_checkpointing,
        mixed_precision=mixed_precision,
    )
    loading = option_values.model_options(
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
    )

    files = training.read_validation(validation)

    from phraseproof.alignment.trainer import forecast, train
    from phraseproof.cli.stopping import stoppable
    from phraseproof.cli.training_forecast import print_training_forecast

    if dry_run:
        found = forecast(model, pairs, settings, validation=files, model_options=loading, is_timed=timing)
        print_training_forecast(found, as_json=as_json)
        return
    if timing is not None:
        raise UsageError("--timing requires --dry-run")

    with stoppable(), TrainingBar(quiet=quiet) as bar:
        result = train(model, pairs, out, settings, validation=files, model_options=loading, observer=bar, merge=merge)
    _print_result(result, as_json=as_json)


def _print_result(result: AlignmentResult, *, as_json: bool) -> None:
    if as_json:
        evaluations = {
            name: None if value is None else value.as_record()
            for name, value in (("before", result.before), ("after", result.after))
        }
        terminal.print_json(
            {
                "folder": str(result.folder),
                "merged": None if result.merged is None else str(result.merged),
                "kind": result.kind,
                "step": result.step,
                "steps": result.steps,
                "stopped": result.stopped,
                **evaluations,
                "epochs": {str(epoch): str(folder) for epoch, folder in result.epochs.items()},
                "validation": {
                    str(epoch): {name: each.as_record() for name, each in files.items()}
                    for epoch, files in result.validation.items()
                },
                "seconds": result.seconds,
            }
        )
        return
    is_last = result.step == result.steps
    kept = terminal.counted(result.steps, "step") if is_last else f"step {result.step} of {result.steps}"
    typer.echo(f"{result.kind}: {result.folder} ({kept}, {result.seconds:.0f} s)")
    if result.merged is not None:
        typer.echo(f"model: {result.merged} (the adapter merged)")
    if result.before is not None and result.after is not None:
        typer.echo(f"{'on held-out pairs':<20}{'loss':>9}{'CE':>9}{'KL':>9}{'accuracy':>10}{'reference':>11}")
        for name, row in (("before", result.before), ("after", result.after)):
            typer.echo(_evaluation_line(name, row))
        if result.after.loss > result.before.loss:
            typer.echo("The loss on held-out pairs rose: training did not help. Try a lower --learning-rate", err=True)
    print_losses(
        "CE after epoch",
        {epoch: {name: each.ce for name, each in files.items()} for epoch, files in result.validation.items()},
    )
    if result.kind == "adapter":
        typer.echo(f"Measure it with: phraseproof evaluate --adapter {result.folder} ...", err=True)
    else:
        typer.echo(f"Measure it with: phraseproof evaluate --model {result.folder} ...", err=True)


def _evaluation_line(name: str, row: HeldOut) -> str:
    losses = "".join(f"{value:>9.4f}" for value in (row.loss, row.ce, row.kl))
    return f"{name:<20}{losses}{row.accuracy:>10.1%}{row.reference_accuracy:>11.1%}"
