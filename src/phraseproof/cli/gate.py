"""`phraseproof gate`: pass or fail, for continuous integration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from phraseproof.analysis.aggregation import Level
from phraseproof.cli import options, terminal
from phraseproof.cli.output_format import OutputFormat, print_results, read_format
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.reports.gate.result import GateResult

OnName = Literal["estimate", "bound"]
AtName = Literal["task", "category", "overall"]

_BROKEN = 3
_SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"


def gate(
    run: options.RunFolder,
    max_spread: Annotated[
        float | None,
        typer.Option(
            metavar="STD",
            help="The largest allowed Std over a group's wordings.",
            rich_help_panel=options.LIMITS,
        ),
    ] = None,
    min_worst: Annotated[
        float | None,
        typer.Option(
            metavar="SCORE", help="The lowest allowed score of a group's worst wording.", rich_help_panel=options.LIMITS
        ),
    ] = None,
    min_mean: Annotated[
        float | None,
        typer.Option(
            metavar="SCORE",
            help="The lowest allowed mean score over a group's wordings.",
            rich_help_panel=options.LIMITS,
        ),
    ] = None,
    max_gap: Annotated[
        float | None,
        typer.Option(
            metavar="DIFFERENCE",
            help="The largest allowed loss of a group compared with the first group.",
            rich_help_panel=options.LIMITS,
        ),
    ] = None,
    no_worse_than: Annotated[
        Path | None,
        typer.Option(
            metavar="OTHER",
            help="Another run: this one may be worse by at most --margin.",
            rich_help_panel=options.LIMITS,
        ),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(
            metavar="DIFFERENCE",
            help="The largest allowed loss compared with --no-worse-than. Default: 0.",
            rich_help_panel=options.LIMITS,
        ),
    ] = None,
    on: Annotated[
        OnName,
        typer.Option(
            help="The value to compare with the limits: the estimate, or the worse end of its 95% interval.",
            rich_help_panel=options.LIMITS,
        ),
    ] = "estimate",
    at: Annotated[
        AtName,
        typer.Option(
            help="The level at which limits apply: every task, every category, or overall.",
            rich_help_panel=options.LIMITS,
        ),
    ] = "task",
    scoring: options.ScoringOfRun = None,
    metric: options.MetricOfRun = None,
    junit: Annotated[
        Path | None,
        typer.Option(help="Also write the checks to this file, as JUnit XML.", rich_help_panel=options.OUTPUT),
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option(help="Also write a summary to this file, in GitHub's Markdown.", rich_help_panel=options.OUTPUT),
    ] = None,
    output_format: OutputFormat = None,
    as_json: options.AsJson = False,
) -> None:
    """Check a run against limits. Exit code 3, and a line per broken limit, if a limit is broken.

    Limits are in the unit of the run's metric: percent or points for accuracy.
    """
    if margin is not None and no_worse_than is None:
        raise UsageError("--margin requires --no-worse-than", where="--margin")
    chosen = read_format(output_format, as_json=as_json)

    from phraseproof.cli.run_folders import warn_of_changed_sources
    from phraseproof.files import write_text
    from phraseproof.reports.gate import junit as junit_form
    from phraseproof.reports.gate import summary as summary_form
    from phraseproof.reports.gate.limits import Limits, On
    from phraseproof.reports.gate.result import gate_run
    from phraseproof.store.queries import load_run

    opened = load_run(run).select(scoring, metric)
    other = None if no_worse_than is None else load_run(no_worse_than).select(scoring, metric)
    warn_of_changed_sources([opened] if other is None else [opened, other])
    limits = Limits(max_spread, min_worst, min_mean, max_gap, None if other is None else margin or 0.0)
    found = gate_run(opened, limits, on=On(on), at=Level(at), other=other)
    for warning in found.warnings:
        terminal.warn(warning)
    text = summary_form.render(found.checks, name=found.name, notes=found.notes)
    if junit is not None:
        write_text(junit, junit_form.render(found.checks, name=found.name))
    if summary is not None:
        write_text(summary, text)
    if job := os.environ.get(_SUMMARY_VARIABLE):
        _append(Path(job), text)
    match chosen:
        case "text":
            _print(found)
        case "json":
            terminal.print_json(found.to_dict())
        case _:
            print_results(found.results, chosen)
    if not found.passed:
        raise typer.Exit(_BROKEN)


def _print(found: GateResult) -> None:
    for option in dict.fromkeys(check.option for check in found.checks):
        of_option = [check for check in found.checks if check.option == option]
        kept = sum(check.is_kept for check in of_option)
        word = "kept  " if kept == len(of_option) else "broken"
        places = (
            f"in all {kept} places" if kept == len(of_option) else f"in {len(of_option) - kept} of {len(of_option)}"
        )
        typer.echo(f"{word}  {option}  ({places if len(of_option) > 1 else of_option[0].line})")
    for note in found.notes:
        terminal.note(note)
    for check in found.broken:
        typer.echo(f"broken: {check.option}: {check.line}", err=True)


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(text + "\n")
    except OSError as error:
        terminal.warn(f"{path}: the summary was not written: {error.strerror}")
