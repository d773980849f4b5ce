"""`phraseproof align`: train a soft prompt (or the model) until the wording matters less."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli.options import Device, Dtype, MaxLength, ModelArg, RemoteCode, Revision, model_options
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.alignment.loop.log import HeldOut
    from phraseproof.alignment.trainer import AlignmentResult


def align(
    model: Annotated[str, typer.Option("--model", "-m", help="A Hugging Face hub id, a model folder, or pocket.")],
    pairs: Annotated[
        Path, typer.Option("--pairs", "-p", help="Examples in several wordings: a JSON Lines file (docs/align.md).")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="The adapter's folder; the same command goes on with a stopped training."),
    ],
    method: Annotated[
        str,
        typer.Option(help="pt+kl, pt, ft, ft+kl, pt+contrastive, ft+contrastive, mse, negation or joint."),
    ] = "pt+kl",
    num_tokens: Annotated[int, typer.Option(help="Vectors of the soft prompt.")] = 10,
    placement: Annotated[str, typer.Option(help="input, or layers (keys and values in every layer).")] = "input",
    init: Annotated[
        str, typer.Option(help="What it begins with: random-vocabulary, an adapter's folder, or a text.")
    ] = "random-vocabulary",
    lambda_: Annotated[float, typer.Option("--lambda", help="The weight of the KL term, 0 to 1.")] = 0.8,
    learning_rate: Annotated[float, typer.Option("--learning-rate", "--lr", help="Of AdamW.")] = 5e-4,
    weight_decay: Annotated[float, typer.Option(help="Of AdamW.")] = 1e-5,
    paraphrases_per_batch: Annotated[int, typer.Option(help="Wordings beside the reference in a batch.")] = 3,
    gradient_accumulation: Annotated[int, typer.Option(help="Batches a step.")] = 4,
    schedule: Annotated[str, typer.Option(help="cosine or constant.")] = "cosine",
    warmup_steps: Annotated[int, typer.Option(help="Steps in which the learning rate rises.")] = 0,
    max_steps: Annotated[int | None, typer.Option(help="Stop after so many steps.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Times through the pairs; 5 if no --max-steps is given.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    reference_gradient: Annotated[
        bool, typer.Option("--reference-gradient", help="Let the reference move too; it may then collapse.")
    ] = False,
    push_bound: Annotated[float, typer.Option(help="The most nats a token that pushing apart can gain.")] = 1.0,
    held_out_fraction: Annotated[float, typer.Option(help="The share of pairs and wordings held out.")] = 0.1,
    eval_every: Annotated[int | None, typer.Option(help="Steps between looks at held-out pairs; or an epoch.")] = None,
    early_stopping_patience: Annotated[
        int | None, typer.Option(help="Stop after so many looks without a lower loss, and keep the best.")
    ] = None,
    max_grad_norm: Annotated[float, typer.Option(help="Cut longer gradients to it.")] = 1.0,
    save_every: Annotated[int, typer.Option(help="Steps between checkpoints.")] = 50,
    prompt_format: Annotated[str, typer.Option(help="plain, alpaca, chat, or auto.")] = "auto",
    mixed_precision: Annotated[str | None, typer.Option(help="no, bf16 or fp16; else as Accelerate is set up.")] = None,
    dtype: Dtype = "auto",
    device: Device = "auto",
    max_length: MaxLength = None,
    revision: Revision = None,
    trust_remote_code: RemoteCode = False,
    model_arg: ModelArg = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result for programs.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only warnings.")] = False,
) -> None:
    """Train on examples in several wordings; gives an adapter that PEFT and evaluate --adapter load."""
    from phraseproof.alignment.settings import AlignmentSettings
    from phraseproof.cli.training_progress import TrainingBar

    if not model.strip():
        raise UsageError("the model's name is empty", expected="a hub id or a folder", where="--model")
    settings = AlignmentSettings(
        method=method,
        num_tokens=num_tokens,
        placement=placement,  # pyright: ignore[reportArgumentType] - checked there, with a line for the user
        init=init,
        lambda_=lambda_,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        paraphrases_per_batch=paraphrases_per_batch,
        gradient_accumulation=gradient_accumulation,
        schedule=schedule,  # pyright: ignore[reportArgumentType] - checked there, with a line for the user
        warmup_steps=warmup_steps,
        max_steps=max_steps,
        epochs=epochs,
        seed=seed,
        detach_reference=not reference_gradient,
        push_bound=push_bound,
        eval_every=eval_every,
        early_stopping_patience=early_stopping_patience,
        max_grad_norm=max_grad_norm,
        prompt_format=prompt_format,
        save_every=save_every,
        held_out_fraction=held_out_fraction,
        mixed_precision=mixed_precision,
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

    from phraseproof.alignment.trainer import train

    with TrainingBar(quiet=quiet) as bar:
        result = train(model, pairs, out, settings, model_options=options, observer=bar)
    _print_result(result, as_json=as_json)


def _print_result(result: AlignmentResult, *, as_json: bool) -> None:
    if as_json:
        import json

        evaluations = {
            name: None if value is None else value._asdict()
            for name, value in (("before", result.before), ("after", result.after))
        }
        typer.echo(
            json.dumps(
                {
                    "folder": str(result.folder),
                    "kind": result.kind,
                    "step": result.step,
                    "steps": result.steps,
                    "stopped": result.stopped,
                    **evaluations,
                    "seconds": result.seconds,
                }
            )
        )
        return
    kept = f"step {result.step} of {result.steps}" if result.step != result.steps else f"{result.steps} steps"
    typer.echo(f"{result.kind}: {result.folder} ({kept}, {result.seconds:.0f} s)")
    if result.before is not None and result.after is not None:
        typer.echo(f"{'on held-out pairs':<20}{'loss':>9}{'CE':>9}{'KL':>9}{'accuracy':>10}{'reference':>11}")
        for name, row in (("before", result.before), ("after", result.after)):
            typer.echo(_evaluation_line(name, row))
        if result.after.loss > result.before.loss:
            typer.echo("The loss on held-out pairs rose: nothing was gained. Try a smaller --learning-rate", err=True)
    if result.kind == "adapter":
        typer.echo(f"Measure it with: phraseproof evaluate --adapter {result.folder} ...", err=True)
    else:
        typer.echo(f"Measure it with: phraseproof evaluate --model {result.folder} ...", err=True)


def _evaluation_line(name: str, row: HeldOut) -> str:
    losses = "".join(f"{value:>9.4f}" for value in (row.loss, row.ce, row.kl))
    return f"{name:<20}{losses}{row.accuracy:>10.1%}{row.reference_accuracy:>11.1%}"
