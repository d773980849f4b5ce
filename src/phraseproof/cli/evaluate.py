"""`phraseproof evaluate`: a model's accuracy over tasks and wordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from phraseproof.cli.answer_options import Extract, Reasoning, ReasoningText, read_reasoning
from phraseproof.cli.draw_options import FewshotDraws, FewshotSeed, NumFewshot, OptionOrders
from phraseproof.cli.generation_options import generation_options
from phraseproof.cli.lock_options import BreakLock, LockTimeout, lock_options
from phraseproof.cli.option_values import (
    BATCH_API,
    FULL_PRICE,
    joined,
    model_options,
    read_groups,
    read_numbers,
    read_system,
    with_base_url,
    with_server_options,
)
from phraseproof.cli.options import (
    DATA,
    OUTPUT,
    SCORING,
    Adapter,
    AsJson,
    BaseUrl,
    BatchApi,
    BatchSize,
    ChatDate,
    ChatTemplate,
    ChatTemplateArg,
    DataDir,
    Devices,
    Dtype,
    Groups,
    Limit,
    MaxCost,
    MaxLength,
    MaxPromptTokens,
    MaxRequests,
    ModelArg,
    ModelOrConfig,
    Observed,
    PromptFormat,
    Quiet,
    RemoteCode,
    Revision,
    Sample,
    System,
    TasksOrConfig,
    Unobserved,
)
from phraseproof.cli.without_effect import options_given
from phraseproof.cli.worker_options import WorkerArg, Workers, worker_options
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.core import Cell
    from phraseproof.evaluation.spec import EvaluationSpec
    from phraseproof.models import ModelOptions
    from phraseproof.store.queries import Run


_PARAMETERS = {"fewshot_seeds": "fewshot_seed"}
"""Fields of the spec whose parameter here has another name."""


def evaluate(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            metavar="FILE",
            help="A YAML file with the options below (docs/config.md). Options that are also given here override it.",
        ),
    ] = None,
    model: ModelOrConfig = None,
    tasks: TasksOrConfig = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="The run folder, or a URL in object storage, as s3://BUCKET/runs/NAME (docs/object-storage.md). "
            "The same command continues a run that was stopped.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    instructions: Groups = None,
    observed: Observed = None,
    unobserved: Unobserved = None,
    data_dir: DataDir = None,
    num_fewshot: NumFewshot = "0",
    fewshot_seed: FewshotSeed = "0",
    fewshot_draws: FewshotDraws = None,
    option_orders: OptionOrders = 1,
    limit: Limit = None,
    max_prompt_tokens: MaxPromptTokens = None,
    sample: Sample = "auto",
    seed: Annotated[int, typer.Option(help="The seed of the sample that --limit draws.", rich_help_panel=DATA)] = 0,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE%",
            help="Score only this share of the grid, such as 5%, and estimate the rest (docs/budget.md).",
            rich_help_panel=SCORING,
        ),
    ] = None,
    covariates: Annotated[
        bool,
        typer.Option(
            "--covariates",
            help="Use the texts of the wordings in the estimates. Requires --budget.",
            rich_help_panel=SCORING,
        ),
    ] = False,
    scoring: Annotated[
        str,
        typer.Option(
            help="How answers are read: loglikelihood, loglikelihood_norm, paper, first_token, generate, or auto: the "
            "most exact one that the model offers (docs/scoring.md). Separate several by commas.",
            rich_help_panel=SCORING,
        ),
    ] = "auto",
    extract: Extract = "auto",
    reasoning: Reasoning = False,
    reasoning_text: ReasoningText = None,
    temperature: Annotated[
        float, typer.Option(help="Of generated answers: 0 takes the most likely token.", rich_help_panel=SCORING)
    ] = 0.0,
    max_new_tokens: Annotated[
        int | None,
        typer.Option(
            help="The maximum number of tokens of a generated answer. Default: from the lengths of the references of "
            "free-text tasks, and 256 for tasks with options (1024 with --reasoning).",
            show_default=False,
            rich_help_panel=SCORING,
        ),
    ] = None,
    gen_kwargs: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE,...",
            help="How answers are generated, in one option: temperature, top_p, top_k, stop, max_new_tokens, repeats, "
            "seed (docs/generation.md). May be repeated.",
            show_default=False,
            rich_help_panel=SCORING,
        ),
    ] = None,
    stop: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help=r"A generated answer ends before this text; \n is a line break. May be repeated.",
            show_default=False,
            rich_help_panel=SCORING,
        ),
    ] = None,
    repeats: Annotated[
        int,
        typer.Option(
            help="How often each answer is generated, each time with another seed (docs/served.md).",
            rich_help_panel=SCORING,
        ),
    ] = 1,
    metric: Annotated[
        str,
        typer.Option(
            help="The metric of an answer's score (docs/scoring.md), or several, separated by commas; auto is the "
            "default of the tasks' kinds.",
            rich_help_panel=SCORING,
        ),
    ] = "auto",
    prompt_format: PromptFormat = "auto",
    system: System = None,
    adapter: Adapter = None,
    dtype: Dtype = "auto",
    device: Devices = "auto",
    workers: Workers = None,
    worker_arg: WorkerArg = None,
    batch_size: BatchSize = "auto",
    max_length: MaxLength = None,
    revision: Revision = None,
    trust_remote_code: RemoteCode = False,
    model_arg: ModelArg = None,
    base_url: BaseUrl = None,
    max_requests: MaxRequests = None,
    max_cost: MaxCost = None,
    batch_api: BatchApi = False,
    chat_template: ChatTemplate = None,
    chat_template_arg: ChatTemplateArg = None,
    chat_date: ChatDate = None,
    rescore_ties: Annotated[
        bool,
        typer.Option(
            "--rescore-ties/--no-rescore-ties",
            help="Score options again in float32 if half precision cannot separate them (docs/scoring.md).",
            rich_help_panel=SCORING,
        ),
    ] = False,
    log_samples: Annotated[
        bool,
        typer.Option(
            "--log-samples/--no-log-samples", help="Store the full text of every prompt.", rich_help_panel=OUTPUT
        ),
    ] = False,
    self_test: Annotated[
        bool,
        typer.Option(
            "--self-test/--no-self-test",
            help="Check, before the run, that the model's scores can be trusted.",
            rich_help_panel=SCORING,
        ),
    ] = True,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print the number of cells, prompts and tokens and the expected time. Nothing is evaluated.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    timing: Annotated[
        bool | None,
        typer.Option(
            "--timing/--no-timing",
            help="Score a few prompts in a dry run to estimate the time. Default: for servers and weights up to 2 GiB.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    price_per_million: Annotated[
        str | None,
        typer.Option(
            metavar="IN,OUT|FILE",
            help="The prices of a million input and output tokens, or a YAML file with prices by model "
            "(docs/dry-run.md). For --dry-run and --max-cost.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    lock_timeout: LockTimeout = None,
    break_lock: BreakLock = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Score a model on tasks under every wording. A run that was stopped continues where it was."""
    given = options_given(ctx)
    values: dict[str, object] = {
        "model": model,
        "tasks": joined(tasks),
        "data_dir": data_dir,
        "num_fewshot": read_numbers(num_fewshot, "--num-fewshot"),
        "fewshot_seeds": read_numbers(fewshot_seed, "--fewshot-seed"),
        "fewshot_draws": fewshot_draws,
        "option_orders": option_orders,
        "limit": limit,
        "max_prompt_tokens": max_prompt_tokens,
        "sample": sample,
        "seed": seed,
        "budget": budget,
        "scoring": scoring,
        "extract": extract,
        "temperature": temperature,
        "max_new_tokens": max_new_tokens,
        "repeats": repeats,
        "metric": metric,
        "prompt_format": prompt_format,
        "system": read_system(system),
        "rescore_ties": rescore_ties,
        "log_samples": log_samples,
        "self_test": self_test,
    }
    # Only what was given: the file's values, then the defaults of `EvaluationSpec`, hold for all other options.
    changes = {name: value for name, value in values.items() if _PARAMETERS.get(name, name) in given}
    changes |= read_reasoning(reasoning, reasoning_text, given)
    for name, value in generation_options(gen_kwargs or (), stop or ()).items():
        if changes.setdefault(name, value) != value:
            raise UsageError(
                f"{name!r} is given twice",
                got=f"{changes[name]} and {value}",
                where=f"--{name.replace('_', '-')} and --gen-kwargs",
            )
    if instructions or observed or unobserved or config is None:
        changes["instructions"] = read_groups(instructions or [], observed, unobserved)
    loading = model_options(
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

    from phraseproof.cli.forecast import print_forecast
    from phraseproof.cli.progress import ProgressBar
    from phraseproof.cli.stopping import stoppable
    from phraseproof.evaluation.distributed.ray_pool import kept
    from phraseproof.evaluation.prices import read_price
    from phraseproof.evaluation.resolve import resolve
    from phraseproof.evaluation.stored_run import run_target
    from phraseproof.store.local_copy import folder_if_any

    spec = read_spec(config, changes, loading, given)
    if out == Path() and not dry_run:  # an unset variable in a shell script gives an empty text
        out = None
    if out is None and not dry_run:
        raise UsageError("no run folder is named", where="--out", hint="Say where to keep the results: --out runs/NAME")
    if covariates and spec.budget is None:
        raise UsageError("--covariates requires --budget", hint="Only runs with a budget have estimates")
    if not dry_run and (timing is not None or (price_per_million is not None and max_cost is None)):
        name = "--timing" if timing is not None else "--price-per-million"
        raise UsageError(f"{name} requires --dry-run", hint="Only a dry run prints an estimate")
    price = None if price_per_million is None else read_price(price_per_million, spec.model)
    spec = with_server_options(spec, max_requests=max_requests, max_cost=max_cost, price=price, is_batched=batch_api)
    is_batched = spec.model_options.args.get(BATCH_API) == "true"
    locking = lock_options(lock_timeout, breaks=break_lock)
    divided = worker_options(workers, worker_arg)
    with stoppable(), ProgressBar(quiet=quiet) as progress, kept(divided) as shared:
        if is_batched and price is not None and price.batch_share == 1:
            progress.noted(FULL_PRICE)
        if dry_run:
            there = None if out is None else folder_if_any(out)
            evaluation = resolve(spec, out=there, observer=progress, locking=locking, forecast=True, workers=shared)
            paid = price.in_batches if price is not None and is_batched else price
            print_forecast(evaluation.forecast(there, timing=timing), paid, as_json=as_json)
            return
        assert out is not None, "checked above"
        with run_target(out, progress, locking=locking) as (folder, observer):
            evaluation = resolve(spec, out=folder, observer=observer, locking=locking, workers=shared)
            run = evaluation.run(folder, observer=observer, self_test=spec.self_test)
    every = (evaluation, *evaluation.further)
    runs = [run.select(each.settings.scoring, each.settings.metric) for each in every]
    asked = {planned.cell for each in every for planned in each.planned}
    if _print_runs(runs, asked, as_json=as_json, covariates=covariates):
        raise typer.Exit(4)


def read_spec(
    config: Path | None, changes: Mapping[str, object], loading: ModelOptions, given: frozenset[str]
) -> EvaluationSpec:
    """The spec of the config file, if one is given, with the options of the command line."""
    from dataclasses import fields, replace

    from phraseproof.evaluation.config import read_config
    from phraseproof.evaluation.spec import EvaluationSpec

    spec = EvaluationSpec() if config is None else read_config(config)
    named: dict[str, Any] = {
        field.name: getattr(loading, field.name) for field in fields(loading) if field.name in given
    }
    if loading.args:
        named["args"] = {**spec.model_options.args, **loading.args}
    if named:
        changes = {**changes, "model_options": replace(spec.model_options, **named)}
    spec = spec.with_changes(**changes)
    if not spec.model:
        raise UsageError("no model is named", where="--model", hint="Say which: --model NAME, or model: in --config")
    if not spec.tasks:
        raise UsageError("no task is named", where="--tasks", hint="phraseproof tasks list shows the built-in tasks")
    if not spec.instructions:
        raise UsageError(
            "no wordings are named", where="--instructions", hint="Name a group, as in --instructions mine=prompt.yaml"
        )
    return spec


def _print_runs(runs: Sequence[Run], asked: set[Cell], *, as_json: bool, covariates: bool) -> int:
    """Print the tables of a run, under each of its scorers. Returns the number of requested cells that are missing."""
    from phraseproof.cli.table import print_tables

    path, name = runs[0].path, runs[0].name
    lacking = [cell for run in runs for cell in run.missing]
    missing = [cell for cell in lacking if cell in asked]
    failures = [failure for run in runs for failure in run.failures if failure.cell in asked]
    for failure in failures[:5]:
        typer.echo(f"failed: {failure.cell.task} under {failure.cell.instruction}: {failure.error}", err=True)
    if len(failures) > 5:
        typer.echo(f"and {len(failures) - 5} more failed: see {path / 'failures'}", err=True)
    if missing:
        typer.echo(f"{len(missing)} of {len(asked)} cells are missing; the same command tries them again", err=True)
    if others := len(lacking) - len(missing):
        typer.echo(f"{others} cells of earlier commands in this folder are missing as well", err=True)
    if some := [run for run in runs if len(run.missing) < len(run.cells)]:
        print_tables(some, output_format="json" if as_json else "text", covariates=covariates)
    typer.echo(f"run folder: {name}", err=True)
    return len(missing)
