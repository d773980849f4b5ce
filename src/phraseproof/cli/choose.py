"""`phraseproof choose`: the choice of a wording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.output_format import OutputFormat, print_results, read_format
from phraseproof.cli.run_folders import open_runs
from phraseproof.errors import UsageError

# The members of analysis.selection.criteria.Criterion, repeated here so that `--help` does not import numpy.
CriterionName = Literal["mean", "worst", "cvar", "lower-bound"]


def choose(
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
    task: Annotated[
        list[str] | None,
        typer.Option("--task", help="Choose for this task only. Repeatable.", rich_help_panel=options.DATA),
    ] = None,
    scoring: options.ScoringOfRun = None,
    seed: options.Seed = 0,
    output_format: OutputFormat = None,
    as_json: options.AsJson = False,
) -> None:
    """Choose a wording: which one, what it is worth on other examples, and which others may be as good."""
    chosen = read_format(output_format, as_json=as_json)
    if not runs:
        raise UsageError("no run folder is named", hint="phraseproof choose runs/NAME")

    from phraseproof.analysis.selection.criteria import Objective
    from phraseproof.analysis.selection.stored import choose_stored
    from phraseproof.reduction.choose import read_criterion, read_over
    from phraseproof.reports.build.choice import choice_reports, choice_results
    from phraseproof.reports.format.choice import render_json, render_text

    objective = Objective(read_criterion(criterion), share)
    kinds = read_over(over or "")
    opened = open_runs(runs, scoring)
    reports = choice_reports(opened, choose_stored(opened, objective, over=kinds, tasks=task or [], seed=seed))
    match chosen:
        case "text":
            terminal.print_result(render_text(reports, terminal.screen()))
        case "json":
            terminal.print_file(render_json(reports))
        case _:
            print_results(choice_results(reports), chosen)
