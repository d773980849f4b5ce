"""`phraseproof evaluate`: a model's accuracy over tasks and wordings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli.options import (
    Adapter,
    BatchSize,
    DataDir,
    Devices,
    Dtype,
    MaxLength,
    Model,
    ModelArg,
    PromptFormat,
    RemoteCode,
    Revision,
    Tasks,
    joined,
    model_options,
    read_groups,
    read_numbers,
)
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.core import Cell
    from phraseproof.evaluation.run import Forecast
    from phraseproof.store.queries import Run


def evaluate(
    model: Model,
    tasks: Tasks,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="The folder to keep the run in; run the same command again to go on with a stopped run."
        ),
    ] = None,
    instructions: Annotated[
        list[str] | None,
        typer.Option(
            "--instructions",
            "-i",
            metavar="GROUP=WORDINGS",
            help="Wordings under a name of your choice: collections or YAML files, separated by commas; repeatable.",
        ),
    ] = None,
    observed: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORDINGS",
            help="Wordings the model was tuned on: short for --instructions observed=... (auto: its family's).",
        ),
    ] = None,
    unobserved: Annotated[
        list[str] | None,
        typer.Option(metavar="WORDINGS", help="Wordings it was not tuned on: short for --instructions unobserved=..."),
    ] = None,
    data_dir: DataDir = None,
    num_fewshot: Annotated[
        str,
        typer.Option(
            "--num-fewshot",
            "-k",
            help="Solved examples shown in each prompt; several numbers, as in 0,5, are each evaluated.",
        ),
    ] = "0",
    fewshot_seed: Annotated[
        str, typer.Option(help="The seed by which solved examples are drawn; several, as in 0,1,2, are each evaluated.")
    ] = "0",
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", help="Evaluate on at most so many examples of each task, drawn by --seed."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed by which --limit draws its examples.")] = 0,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE%", help="Score only so much of the grid, as in 5%, and estimate the rest (docs/budget.md)."
        ),
    ] = None,
    covariates: Annotated[
        bool, typer.Option("--covariates", help="With --budget, let the wordings' texts take part in the estimates.")
    ] = False,
    scoring: Annotated[
        str, typer.Option(help="How options are scored: loglikelihood, loglikelihood_norm or paper (docs/scoring.md).")
    ] = "loglikelihood",
    prompt_format: PromptFormat = "auto",
    adapter: Adapter = None,
    dtype: Dtype = "auto",
    device: Devices = "auto",
    batch_size: BatchSize = "auto",
    max_length: MaxLength = None,
    revision: Revision = None,
    trust_remote_code: RemoteCode = False,
    model_arg: ModelArg = None,
    rescore_ties: Annotated[
        bool,
        typer.Option(
            "--rescore-ties",
            help="Score choices again in float32 that half precision leaves too close to call (docs/scoring.md).",
        ),
    ] = False,
    log_samples: Annotated[bool, typer.Option("--log-samples", help="Store the full text of every prompt.")] = False,
    no_self_test: Annotated[
        bool,
        typer.Option("--no-self-test", help="Skip the check, before the run, that the model's scores can be trusted."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many cells, prompts and tokens it would take, and stop.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print warnings and results, no progress.")] = False,
) -> None:
    """Score a model on tasks under every wording; a stopped run goes on where it was."""
    groups = read_groups(instructions or [], observed, unobserved)
    if out == Path() and not dry_run:  # an empty text, as an unset variable of a shell script leaves it
        out = None
    if out is None and not dry_run:
        raise UsageError("no run folder is named", where="--out", hint="Say where to keep the results: --out runs/NAME")
    if covariates and budget is None:
        raise UsageError("without a budget nothing is estimated", expected="--budget, too", where="--covariates")
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

    from phraseproof.cli.progress import ProgressBar
    from phraseproof.cli.stopping import stoppable
    from phraseproof.evaluation.evaluate import resolve

    with stoppable(), ProgressBar(quiet=quiet) as progress:
        evaluation = resolve(
            model,
            joined(tasks),
            groups,
            data_dir=data_dir,
            num_fewshot=read_numbers(num_fewshot, "--num-fewshot"),
            fewshot_seed=read_numbers(fewshot_seed, "--fewshot-seed"),
            limit=limit,
            seed=seed,
            scoring=scoring,
            prompt_format=prompt_format,
            log_samples=log_samples,
            budget=budget,
            rescore_ties=rescore_ties,
            model_options=options,
            observer=progress,
        )
        if dry_run:
            _print_forecast(evaluation.forecast(out), as_json=as_json)
            return
        assert out is not None, "checked above"
        run = evaluation.run(out, observer=progress, self_test=not no_self_test)
    if _print_run(run, {each.cell for each in evaluation.planned}, as_json=as_json, covariates=covariates):
        raise typer.Exit(4)


def _print_forecast(forecast: Forecast, *, as_json: bool) -> None:
    tokens = forecast.tokens
    if as_json:
        import json

        fields = {name: getattr(forecast, name) for name in ("cells", "prompts", "cells_missing", "prompts_missing")}
        counts = {"tokens_asked": tokens.asked, "tokens_unique": tokens.unique} if tokens else {}
        typer.echo(json.dumps({**fields, **counts, "sampled_prompts": forecast.sampled_prompts}))
        return
    typer.echo(f"cells          {forecast.cells:>15,}  ({forecast.cells_missing:,} to compute)")
    typer.echo(f"prompts        {forecast.prompts:>15,}  ({forecast.prompts_missing:,} to compute)")
    if tokens is not None:
        exact = forecast.sampled_prompts == forecast.prompts_missing
        note = "counted" if exact else f"extrapolated from {forecast.sampled_prompts:,} prompts"
        typer.echo(f"tokens asked   {tokens.asked:>15,}  (one pass an option; {note})")
        saved = f"{tokens.asked / tokens.unique:.1f} times fewer" if tokens.unique else "nothing to compute"
        typer.echo(f"tokens unique  {tokens.unique:>15,}  (shared parts once: {saved})")


def _print_run(run: Run, asked: set[Cell], *, as_json: bool, covariates: bool) -> int:
    """Show the run; returns how many of the cells that were asked for are missing."""
    from phraseproof.cli.table import print_tables

    missing = [cell for cell in run.missing if cell in asked]
    failures = [failure for failure in run.failures if failure.cell in asked]
    for failure in failures[:5]:
        typer.echo(f"failed: {failure.cell.task} under {failure.cell.instruction}: {failure.error}", err=True)
    if len(failures) > 5:
        typer.echo(f"and {len(failures) - 5} more failed: see {run.path / 'failures'}", err=True)
    if missing:
        typer.echo(f"{len(missing)} of {len(asked)} cells are missing; the same command tries them again", err=True)
    if others := len(run.missing) - len(missing):
        typer.echo(f"{others} cells that other commands began in this folder are missing, too", err=True)
    if len(run.missing) < len(run.cells):
        print_tables([run], output_format="json" if as_json else "text", covariates=covariates)
    typer.echo(f"run folder: {run.path}", err=True)
    return len(missing)
