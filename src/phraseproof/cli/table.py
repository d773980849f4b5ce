"""`phraseproof table`: the numbers of one or several runs, for people, programs and documents."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.reports.build.run_tables import Screen
    from phraseproof.reports.format.estimates import EstimatedRun
    from phraseproof.store.queries import Run

# The members of reports.tables.TableFormat and By, spelled out so that `--help` need not import the reports.
FormatName = Literal["text", "json", "csv", "markdown", "latex"]
ByName = Literal["task", "wording"]

_WIDTH_WITHOUT_A_TERMINAL = 100


def table(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders that `evaluate` wrote.")],
    output_format: Annotated[
        FormatName | None, typer.Option("--format", "-f", help="How to write it; text unless said.", show_default=False)
    ] = None,
    by: Annotated[
        ByName, typer.Option(help="A row a task, as in the paper's Table 3, or a row a wording with its text.")
    ] = "task",
    group_order: Annotated[
        str | None,
        typer.Option(metavar="GROUP,...", help="Groups to put first; the others are compared with the first of all."),
    ] = None,
    covariates: Annotated[
        bool,
        typer.Option(
            "--covariates",
            help="Let the wordings' texts take part in estimates of a run with a budget (docs/budget.md).",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs: short for --format json.")] = False,
) -> None:
    """Show accuracy and spread over wordings, by task and category, with a paired t-test between groups."""
    if as_json and output_format not in {None, "json"}:
        raise UsageError("two formats are asked for", got=f"--json and --format {output_format}", where="--format")
    order = [] if group_order is None else [name.strip() for name in group_order.split(",")]
    if "" in order:
        raise UsageError("a group has no name", expected="GROUP,GROUP", got=repr(group_order), where="--group-order")

    from phraseproof.store.queries import load_run

    opened = [load_run(path) for path in runs]
    for run in opened:
        if run.missing:
            count = f"{len(run.missing)} of {len(run.cells)} cells"
            typer.echo(f"warning: {run.path}: {count} are missing; the numbers rest on the others", err=True)
    if covariates and not any(run.is_sampled for run in opened):
        raise UsageError(
            "nothing is estimated here that texts of wordings could take part in",
            expected="a run of evaluate --budget",
            got=str(runs[0]),
            where="--covariates",
        )
    print_tables(
        opened,
        output_format="json" if as_json else output_format or "text",
        by=by,
        group_order=order,
        covariates=covariates,
    )


def print_tables(
    runs: Sequence[Run],
    *,
    output_format: FormatName = "text",
    by: ByName = "task",
    group_order: Sequence[str] = (),
    covariates: bool = False,
) -> None:
    """Write the tables of open runs to stdout, as wide and as colourful as it is, and remarks to stderr."""
    from phraseproof.reports.build.runs import present_groups, run_scores
    from phraseproof.reports.format.tables import By, TableFormat, render

    if sampled := [run for run in runs if run.is_sampled]:
        runs = [run for run in runs if not run.is_sampled]
        if runs and output_format != "text":
            raise UsageError(
                f"runs with and without a budget cannot stand in one {output_format} document",
                got=f"{sampled[0].path} and {runs[0].path}",
                hint="Write them one by one",
            )
        estimated = [_estimated(run, group_order, covariates=covariates) for run in sampled]
        _print_estimates(sampled, estimated, output_format, by)
        if not runs:
            return
    scores = [run_scores(run) for run in runs]
    rendered = render(
        scores,
        form=TableFormat(output_format),
        by=By(by),
        group_order=group_order or present_groups(runs, scores),
        screen=screen(),
    )
    # Files are UTF-8 on every machine; a terminal gets what it can show.
    encoding = sys.stdout.encoding if output_format == "text" else "utf-8"
    typer.echo(rendered.text.encode(encoding or "utf-8", errors="replace"), nl=False)
    for warning in rendered.warnings:
        typer.echo(f"note: {warning}", err=True)


def _estimated(run: Run, group_order: Sequence[str], *, covariates: bool) -> EstimatedRun:
    from phraseproof.analysis.estimators.budget import estimate_run
    from phraseproof.reports.build.runs import model_name
    from phraseproof.reports.format.estimates import EstimatedRun

    found = estimate_run(run, group_order=group_order, covariates=covariates)
    return EstimatedRun(str(run.path), model_name(run), found, run.wording_texts(), covariates)


def _print_estimates(
    runs: Sequence[Run], estimated: Sequence[EstimatedRun], output_format: FormatName, by: ByName
) -> None:
    """Runs with a budget: their wordings met different examples, so what is shown is estimated (docs/budget.md)."""
    from phraseproof.reports.build.run_tables import half_precision_line
    from phraseproof.reports.format.estimates import render_estimates, too_few_cells
    from phraseproof.store.half_precision import half_precision

    text = render_estimates(estimated, form=output_format, by_wording=by == "wording", screen=screen())
    encoding = sys.stdout.encoding if output_format == "text" else "utf-8"
    typer.echo(text.encode(encoding or "utf-8", errors="replace"), nl=False)
    for run, estimates in zip(runs, estimated, strict=True):
        if (found := half_precision(run)) is not None:
            typer.echo(f"note: {run.path}: {half_precision_line(found)}", err=True)
        if few := too_few_cells(estimates):
            typer.echo(f"note: {run.path}: {few}", err=True)


def screen() -> Screen:
    """What stdout shows: its width and whether it has colours. `COLUMNS` overrides the width."""
    from phraseproof.reports.build.run_tables import Screen

    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return Screen(shutil.get_terminal_size((_WIDTH_WITHOUT_A_TERMINAL, 24)).columns, color=color)
