"""`phraseproof ensemble`: what several wordings together give, and what they cost."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.output_format import OutputFormat, print_results, read_format
from phraseproof.cli.run_folders import open_runs

# Names of analysis.ensembles and analysis.ensemble_curve, repeated here so that `--help` does not import numpy.
HowName = Literal["mean_probability", "mean_logprob", "majority"]
CalibrationName = Literal["none", "batch", "prior-matching"]


def ensemble(
    runs: options.RunFolders,
    how: Annotated[
        HowName,
        typer.Option(
            help="How the answers of several wordings are combined. Equal numbers of votes are decided by the mean "
            "probability.",
            rich_help_panel=options.STATISTICS,
        ),
    ] = "mean_probability",
    calibrate: Annotated[
        CalibrationName,
        typer.Option(
            help="Also show ensembles of calibrated wordings (docs/calibration.md). The calibration needs no labels.",
            rich_help_panel=options.STATISTICS,
        ),
    ] = "none",
    sizes: Annotated[
        str,
        typer.Option(
            metavar="K,...",
            help="The numbers of wordings to combine, each a call to the model per answer; or all.",
            rich_help_panel=options.STATISTICS,
        ),
    ] = "1,2,3,5,all",
    group: Annotated[
        list[str] | None,
        typer.Option(
            "--group",
            metavar="GROUP",
            help="Combine wordings of this group only. Repeatable.",
            rich_help_panel=options.DATA,
        ),
    ] = None,
    task: options.OnlyTasks = None,
    by_task: Annotated[
        bool,
        typer.Option(
            "--by-task", help="Show every task and category, not only overall.", rich_help_panel=options.OUTPUT
        ),
    ] = False,
    scoring: options.ScoringOfRun = None,
    seed: options.Seed = 0,
    output_format: OutputFormat = None,
    as_json: options.AsJson = False,
) -> None:
    """Show what ensembles of wordings give and cost: accuracy by number of calls, and which wordings to combine."""
    chosen = read_format(output_format, as_json=as_json)

    from phraseproof.reports.build.ensembles import ensemble_reports, ensemble_results, read_settings
    from phraseproof.reports.format.ensembles import render_json, render_text

    settings = read_settings(how, sizes, calibrate, seed=seed)
    reports = [
        report
        for run in open_runs(runs, scoring)
        for report in ensemble_reports(run, settings, groups=group or [], tasks=task or [])
    ]
    match chosen:
        case "text":
            terminal.print_result(render_text(reports, terminal.screen(), by_task=by_task))
        case "json":
            terminal.print_file(render_json(reports))
        case _:
            print_results(ensemble_results(reports), chosen)
