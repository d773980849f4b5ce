"""`phraseproof calibrate`: correct a run's log-probabilities for what the model prefers whatever the question."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.output_format import OutputFormat, print_results, read_format


def calibrate(
    run: options.RunFolder,
    method: Annotated[
        str,
        typer.Option(
            help="The method: batch, prior-matching, per-byte, per-token; contextual, pmi-dc and pride ask the model "
            "some more prompts (docs/calibration.md). all compares those that do not.",
            rich_help_panel=options.SCORING,
        ),
    ] = "batch",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Write a derived run into this folder, which table, analyze, report, compare and gate read.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the corrections, fitted on all examples, as a file for phraseproof.Calibrator.load.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    folds: Annotated[
        int,
        typer.Option(
            min=2,
            help="The number of parts of the examples. Each part is corrected by what the others show.",
            rich_help_panel=options.SCORING,
        ),
    ] = 5,
    scoring: options.ScoringOfRun = None,
    seed: options.Seed = 0,
    output_format: OutputFormat = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Correct stored log-probabilities for what a model prefers whatever the question, and show what that changes.

    Without --out and --save nothing is written.
    """
    chosen = read_format(output_format, as_json=as_json)

    from phraseproof.cli.progress import ProgressBar
    from phraseproof.cli.run_folders import open_runs
    from phraseproof.cli.stopping import stoppable
    from phraseproof.reduction.calibrate import calibrate as calibrate_run
    from phraseproof.reports.build.calibration import calibration_results
    from phraseproof.reports.build.runs import model_name
    from phraseproof.reports.format import calibration_text
    from phraseproof.reports.format.results import results_json
    from phraseproof.store.urls import require_no_url

    if out is not None:
        require_no_url(out)
    (opened,) = open_runs([run], scoring)
    with stoppable(), ProgressBar(quiet=quiet) as progress:
        found = calibrate_run(opened, method, out=out, save=save, folds=folds, seed=seed, observer=progress)
    results = calibration_results(str(run), opened.scoring, found.effects, (*found.warnings, *found.notes))
    match chosen:
        case "text":
            title = (model_name(opened), f"{run}, scoring {opened.scoring}")
            terminal.print_result(calibration_text.render(found.effects, title, terminal.screen()))
        case "json":
            terminal.print_json(results_json(results), indent=1)
        case _:
            print_results(results, chosen)
    if chosen in {"text", "json"}:
        for warning in found.warnings:
            terminal.warn(warning)
        for note in found.notes:
            terminal.note(note)
    if out is not None:
        typer.echo(f"derived run: {out}", err=True)
    if save is not None:
        typer.echo(f"calibrator: {save}", err=True)
