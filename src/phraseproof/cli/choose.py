"""`phraseproof choose`: the choice of a wording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from phraseproof.cli import option_values, options, terminal
from phraseproof.cli.output_format import FormatName, OutputFormat, print_results, read_format
from phraseproof.cli.run_folders import open_runs
from phraseproof.cli.without_effect import options_given, refuse_options, refuse_options_of_a_model
from phraseproof.errors import UsageError

# Members of enumerations, repeated here so that `--help` does not import numpy.
CriterionName = Literal["mean", "worst", "cvar", "lower-bound"]
StrategyName = Literal["halving", "racing", "uniform"]

LIVE = "Live: ask a model under a budget"

_GROUP = "candidates"
"""The group of wordings that are given without a group, which plays no part in a choice."""

_STORED_ONLY = ("criterion", "over", "share", "task")
_LIVE_ONLY = ("config", "tasks", "instructions", "out", "budget_calls", "strategy", "held_out", "data_dir")


def choose(
    ctx: typer.Context,
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RUN...", help="A run folder; or several, of several models.", show_default=False),
    ] = None,
    criterion: Annotated[
        CriterionName,
        typer.Option(
            help="What a good wording has: the highest mean, the highest value in its worst task, answer class or "
            "model, the highest mean over the worst share of these (cvar), or the highest lower bound.",
            rich_help_panel=options.STATISTICS,
        ),
    ] = "mean",
    over: Annotated[
        str | None,
        typer.Option(
            metavar="KINDS",
            help="What worst and cvar look at: tasks, classes, models, or several, separated by commas. "
            "Default: tasks if there are several, else classes; and models if there are several.",
            show_default=False,
            rich_help_panel=options.STATISTICS,
        ),
    ] = None,
    share: Annotated[
        float, typer.Option(help="Of cvar: the share of the worst blocks.", rich_help_panel=options.STATISTICS)
    ] = 0.25,
    task: options.OnlyTasks = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask a model instead of reading a run.", rich_help_panel=LIVE)
    ] = False,
    budget_calls: Annotated[
        int | None,
        typer.Option(help="How many prompts may be scored, one per wording and example.", rich_help_panel=LIVE),
    ] = None,
    strategy: Annotated[
        StrategyName,
        typer.Option(
            help="How calls are spread: halving drops the worse half in every round, racing drops what is shown to be "
            "worse, uniform drops nothing.",
            rich_help_panel=LIVE,
        ),
    ] = "halving",
    held_out: Annotated[
        float,
        typer.Option(
            help="The share of calls and of examples that is kept back to value the chosen wording.",
            rich_help_panel=LIVE,
        ),
    ] = 1 / 3,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The run folder. The same command continues a search.", rich_help_panel=LIVE),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            metavar="FILE",
            help="A YAML file with the options of evaluate (docs/config.md).",
            rich_help_panel=LIVE,
        ),
    ] = None,
    model: options.ModelOrConfig = None,
    tasks: options.TasksOrConfig = None,
    instructions: Annotated[
        list[str] | None,
        typer.Option(
            "--instructions",
            "-i",
            metavar="WORDINGS",
            help="The wordings to choose from: collections or YAML files, separated by commas, or a group of them as "
            "GROUP=WORDINGS. Repeatable.",
            rich_help_panel=options.INSTRUCTIONS,
            autocompletion=options.complete_instructions,
        ),
    ] = None,
    data_dir: options.DataDir = None,
    model_arg: options.ModelArg = None,
    base_url: options.BaseUrl = None,
    scoring: options.ScoringOfRun = None,
    metric: options.MetricOfRun = None,
    seed: options.Seed = 0,
    output_format: OutputFormat = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Choose a wording: which one, what it is worth on other examples, and which others may be as good.

    From stored runs, or with --live from a model, under a budget of calls.
    """
    from phraseproof.cli.evaluate import read_spec

    chosen = read_format(output_format, as_json=as_json)
    if not live:
        refuse_options_of_a_model(ctx, *_LIVE_ONLY, needed="--live")
        if not runs:
            raise UsageError("no run folder is named", hint="phraseproof choose runs/NAME, or choose --live")
        _choose_stored(
            runs,
            criterion,
            over=over,
            share=share,
            task=task or [],
            shown=(scoring, metric),
            seed=seed,
            output_format=chosen,
        )
        return
    refuse_options(ctx, _STORED_ONLY, "is for stored runs, not for --live")
    if runs:
        raise UsageError("a live choice reads no run", got=str(runs[0]), hint="Name the folder with --out")
    if budget_calls is None:
        raise UsageError("no budget is named", where="--budget-calls", hint="Say how many prompts may be scored")
    if out is None or out == Path():
        raise UsageError("no run folder is named", where="--out", hint="Say where to keep the answers: --out runs/NAME")
    values: dict[str, object] = {
        "model": model,
        "tasks": option_values.joined(tasks),
        "data_dir": data_dir,
        "scoring": scoring,
        "metric": metric,
    }
    given = options_given(ctx)
    changes = {name: value for name, value in values.items() if name in given}
    if instructions or config is None:
        named = [entry if "=" in entry else f"{_GROUP}={entry}" for entry in instructions or []]
        changes["instructions"] = option_values.read_groups(named, None, None)
    loading = option_values.model_options(
        adapter=None,
        dtype="auto",
        device="auto",
        batch_size="auto",
        max_length=None,
        revision=None,
        trust_remote_code=False,
        model_arg=option_values.with_base_url(model_arg, base_url),
    )

    from phraseproof.analysis.selection.search import Strategy
    from phraseproof.cli.progress import ProgressBar
    from phraseproof.cli.stopping import stoppable
    from phraseproof.reduction.live_choice import LiveSettings, find_wording
    from phraseproof.reduction.live_results import live_results, render_live_json, render_live_text

    spec = read_spec(config, changes, loading, given)
    settings = LiveSettings(budget_calls, Strategy(strategy), held_out, seed)
    with stoppable(), ProgressBar(quiet=quiet) as progress:
        found = find_wording(spec, out, settings, observer=progress)
    match chosen:
        case "text":
            terminal.print_result(render_live_text(found, terminal.screen()))
        case "json":
            terminal.print_file(render_live_json(found))
        case _:
            print_results(live_results(found), chosen)
    typer.echo(f"run folder: {out}", err=True)


def _choose_stored(
    runs: list[Path],
    criterion: CriterionName,
    *,
    over: str | None,
    share: float,
    task: list[str],
    shown: tuple[str | None, str | None],
    seed: int,
    output_format: FormatName,
) -> None:
    from phraseproof.analysis.selection.criteria import Objective
    from phraseproof.analysis.selection.stored import choose_stored
    from phraseproof.reduction.choose import read_criterion, read_over
    from phraseproof.reports.build.choice import choice_reports, choice_results
    from phraseproof.reports.format.choice import render_json, render_text

    objective = Objective(read_criterion(criterion), share)
    kinds = read_over(over or "")
    opened = open_runs(runs, *shown)
    reports = choice_reports(opened, choose_stored(opened, objective, over=kinds, tasks=task, seed=seed))
    match output_format:
        case "text":
            terminal.print_result(render_text(reports, terminal.screen()))
        case "json":
            terminal.print_file(render_json(reports))
        case _:
            print_results(choice_results(reports), output_format)
