"""`phraseproof doctor`: what is installed, and whether a model's scores can be trusted."""

from __future__ import annotations

from typing import Annotated

import typer

from phraseproof.cli.option_values import joined, model_options, with_base_url
from phraseproof.cli.options import (
    DATA,
    INSTRUCTIONS,
    MODEL,
    Adapter,
    AsJson,
    BaseUrl,
    BatchSize,
    ChatDate,
    ChatTemplate,
    ChatTemplateArg,
    DataDir,
    Device,
    Dtype,
    MaxLength,
    ModelArg,
    PromptFormat,
    RemoteCode,
    Revision,
)
from phraseproof.cli.without_effect import refuse_options_of_a_model


def doctor(
    ctx: typer.Context,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="The model to test, written as for evaluate. Without it, only the installation is checked.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            "--tasks",
            "-t",
            metavar="TASK,...",
            help="Tasks whose prompts are used for the test. Default: four plain questions. Repeatable.",
            rich_help_panel=DATA,
        ),
    ] = None,
    instructions: Annotated[
        list[str] | None,
        typer.Option(
            "--instructions",
            "-i",
            metavar="WORDINGS",
            help="Collections of wordings to test with, separated by commas. Default: composed. Repeatable.",
            rich_help_panel=INSTRUCTIONS,
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
    base_url: BaseUrl = None,
    chat_template: ChatTemplate = None,
    chat_template_arg: ChatTemplateArg = None,
    chat_date: ChatDate = None,
    as_json: AsJson = False,
) -> None:
    """Check the installation and a model's scoring: batches, special tokens, options, adapter."""
    from phraseproof.evaluation.doctor import check_installation, check_model

    checks = check_installation()
    if model is None:
        refuse_options_of_a_model(ctx, "tasks", "instructions", "prompt_format", "data_dir")
    else:
        options = model_options(
            adapter=adapter,
            dtype=dtype,
            device=device,
            batch_size=batch_size,
            max_length=max_length,
            revision=revision,
            trust_remote_code=trust_remote_code,
            model_arg=with_base_url(model_arg, base_url),
            chat_template=chat_template,
            chat_template_arg=chat_template_arg,
            chat_date=chat_date,
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
