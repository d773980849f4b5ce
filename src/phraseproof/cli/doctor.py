"""`phraseproof doctor`: what is installed, and whether a model's scores can be trusted."""

from __future__ import annotations

from typing import Annotated

import typer

from phraseproof.cli.options import (
    Adapter,
    BatchSize,
    DataDir,
    Device,
    Dtype,
    MaxLength,
    ModelArg,
    PromptFormat,
    RemoteCode,
    Revision,
    joined,
    model_options,
)
from phraseproof.errors import UsageError


def doctor(
    model: Annotated[
        str | None,
        typer.Option(
            "--model", "-m", help="The model to test, named as for evaluate; without it, only the installation."
        ),
    ] = None,
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            "--tasks",
            "-t",
            metavar="TASK,...",
            help="Tasks whose prompts to test with; four plain questions unless said. Repeatable.",
        ),
    ] = None,
    instructions: Annotated[
        list[str] | None,
        typer.Option(
            "--instructions",
            "-i",
            metavar="WORDINGS",
            help="Collections of wordings to test with, separated by commas; composed unless said. Repeatable.",
        ),
    ] = None,
    prompt_format: PromptFormat = "auto",
    data_dir: DataDir = None,
    adapter: Adapter = None,
    dtype: Dtype = "auto",
    device: Device = "auto",
    batch_size: BatchSize = "auto",
    max_length: MaxLength = None,
    revision: Revision = None,
    trust_remote_code: RemoteCode = False,
    model_arg: ModelArg = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Check the installation, and a model's scoring: batches, special tokens, options, adapter."""
    from phraseproof.evaluation.doctor import check_installation, check_model

    if tasks and model is None:
        raise UsageError("tasks are to be tested with, and no model is named", where="--model")
    checks = check_installation()
    if model is not None:
        options = model_options(
            adapter=adapter,
            dtype=dtype,
            device=device,
            batch_size=batch_size,
            max_length=max_length,
            revision=revision,
            trust_remote_code=trust_remote_code,
            model_arg=model_arg or [],
        )
        checks += check_model(
            model,
            joined(tasks),
            joined(instructions) or "composed",
            prompt_format=prompt_format,
            data_dir=data_dir,
            model_options=options,
        )
    if as_json:
        import json

        typer.echo(json.dumps([check._asdict() for check in checks]))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            typer.echo(f"{'ok  ' if check.passed else 'FAIL'}  {check.name:<{width}}  {check.detail}")
    if not all(check.passed for check in checks):
        raise typer.Exit(2)
