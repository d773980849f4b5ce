"""`phraseproof table`: the numbers of one or several runs, for people, programs and documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.run_folders import open_runs
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.reports.format.estimates import EstimatedRun
    from phraseproof.store.queries import Run

# The members of reports.format.tables.TableFormat and By, spelled out so that `--help` need not import the reports.
FormatName = Literal["text", "json", "csv", "markdown", "latex"]
ByName = Literal["task", "wording"]


def table(
    runs: options.RunFolders,
    output_format: Annotated[
        FormatName | None,
        typer.Option(
            "--format",
            "-f",
            help="The format to write. Default: text.",
            show_default=False,
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    by: Annotated[
        ByName,
        typer.Option(
            help="One row per task, as in the paper's Table 3, or one row per wording with its text.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = "task",
    group_order: options.GroupOrder = None,
    scoring: options.ScoringOfRun = None,
    covariates: Annotated[
        bool,
        typer.Option(
            "--covariates",
            help="Use properties of the wordings' texts in the estimates of a run with a budget (docs/budget.md).",
            rich_help_panel=options.STATISTICS,
        ),
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Show accuracy and spread over wordings, by task and category, with a paired t-test between groups."""
    if as_json and output_format not in {None, "json"}:
        raise UsageError("two formats are asked for", got=f"--json and --format {output_format}", where="--format")
    order = options.read_group_order(group_order)
    opened = open_runs(runs, scoring)
    if covariates and not any(run.is_sampled for run in opened):
        raise UsageError(
            "--covariates requires estimates",
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
        screen=terminal.screen(),
    )
    # Files are UTF-8 on every machine; a terminal gets what it can show.
    (terminal.print_result if output_format == "text" else terminal.print_file)(rendered.text)
    for warning in rendered.warnings:
        terminal.note(warning)


def _estimated(run: Run, group_order: Sequence[str], *, covariates: bool) -> EstimatedRun:
    from phraseproof.analysis.estimators.budget import estimate_run
    from phraseproof.reports.build.runs import model_name
    from phraseproof.reports.format.estimates import EstimatedRun

    found = estimate_run(run, group_order=group_order, covariates=covariates)
    return EstimatedRun(str(run.path), model_name(run), found, run.wording_texts(), covariates)


def _print_estimates(
    runs: Sequence[Run], estimated: Sequence[EstimatedRun], output_format: FormatName, by: ByName
) -> None:
    """Print runs with a budget. Their wordings met different examples, so the numbers are estimates."""
    from phraseproof.analysis.estimators.sample_size import too_few_cells
    from phraseproof.evaluation.half_precision import half_precision
    from phraseproof.reports.build.run_tables import half_precision_line, printable
    from phraseproof.reports.format.estimates import render_estimates

    text = render_estimates(estimated, form=output_format, by_wording=by == "wording", screen=terminal.screen())
    (terminal.print_result if output_format == "text" else terminal.print_file)(text)
    for run, found in zip(runs, estimated, strict=True):
        if (half := half_precision(run)) is not None:
            terminal.note(f"{run.path}: {half_precision_line(half)}")
        if few := too_few_cells(found.estimates):
            terminal.note(f"{run.path}: {printable(few)}")
