"""`phraseproof table`: the numbers of one or several runs, for people, programs and documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from phraseproof.cli import option_values, options, terminal
from phraseproof.cli.output_format import FormatName, OutputFormat, print_rendered, read_format
from phraseproof.cli.run_folders import open_runs
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.store.queries import Run

# The members of reports.format.tables.By, repeated here so that `--help` does not import the reports.
ByName = Literal["task", "wording"]


def table(
    runs: options.RunFolders,
    output_format: OutputFormat = None,
    by: Annotated[
        ByName,
        typer.Option(
            help="One row per task, as in the paper's Table 3, or one row per wording with its text.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = "task",
    group_order: options.GroupOrder = None,
    scoring: options.ScoringOfRun = None,
    metric: options.MetricOfRun = None,
    covariates: Annotated[
        bool,
        typer.Option(
            "--covariates",
            help="Use properties of the wordings' texts in the estimates of a run with a budget (docs/budget.md).",
            rich_help_panel=options.STATISTICS,
        ),
    ] = False,
    causes: Annotated[
        bool,
        typer.Option(
            "--causes",
            help="Show why accuracy differs between the wordings: answer prior, skill, or chance (docs/causes.md).",
            rich_help_panel=options.STATISTICS,
        ),
    ] = False,
    facets: Annotated[
        bool,
        typer.Option(
            "--facets",
            help="Show how the variance splits over wordings, draws of demonstrations, orders of options and examples, "
            "and where extra effort should go (docs/few-shot.md).",
            rich_help_panel=options.STATISTICS,
        ),
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Show accuracy and spread over wordings, by task and category, with a paired t-test between groups."""
    chosen = read_format(output_format, as_json=as_json)
    order = option_values.read_group_order(group_order)
    if facets:
        _refuse_with_facets(causes=causes, covariates=covariates, by=by, group_order=order)
        _print_facets(open_runs(runs, scoring, metric, every=True), output_format=chosen)
        return
    if causes:
        _refuse_with_causes(covariates=covariates, group_order=order)
        _print_causes(open_runs(runs, scoring, metric, every=True), output_format=chosen, by=by)
        return
    print_tables(
        open_runs(runs, scoring, metric, every=True),
        output_format=chosen,
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
    """Write the tables of open runs to stdout, with the terminal's width and colours, and remarks to stderr."""
    from phraseproof.reports.build.runs import table_sources
    from phraseproof.reports.format.tables import By, TableFormat, render

    rendered = render(
        table_sources(runs, group_order=group_order, covariates=covariates),
        form=TableFormat(output_format),
        by=By(by),
        group_order=group_order,
        screen=terminal.screen(),
    )
    print_rendered(rendered.text, output_format)
    for warning in rendered.warnings:
        terminal.note(warning)


def _refuse_with_causes(*, covariates: bool, group_order: Sequence[str]) -> None:
    for name, is_given in (("--covariates", covariates), ("--group-order", bool(group_order))):
        if is_given:
            raise UsageError(f"--causes does not use {name}: causes are over the wordings of all groups", where=name)


def _print_causes(runs: Sequence[Run], *, output_format: FormatName, by: ByName) -> None:
    from phraseproof.reports.build.causes import causes_reports
    from phraseproof.reports.format.causes import render
    from phraseproof.reports.format.tables import TableFormat

    form = TableFormat(output_format)
    rendered = render(causes_reports(runs), form, by_wording=by == "wording", screen=terminal.screen())
    print_rendered(rendered.text, output_format)
    for warning in rendered.warnings:
        terminal.note(warning)


def _refuse_with_facets(*, causes: bool, covariates: bool, by: ByName, group_order: Sequence[str]) -> None:
    given = {
        "--causes": causes,
        "--covariates": covariates,
        "--by wording": by == "wording",
        "--group-order": bool(group_order),
    }
    for name, is_given in given.items():
        if is_given:
            raise UsageError(f"--facets does not use {name}", where=name, hint=f"Leave out {name} or --facets")


def _print_facets(runs: Sequence[Run], *, output_format: FormatName) -> None:
    from phraseproof.reports.build.facets import facets_reports
    from phraseproof.reports.format.facets import render
    from phraseproof.reports.format.tables import TableFormat

    rendered = render(facets_reports(runs), TableFormat(output_format), screen=terminal.screen())
    print_rendered(rendered.text, output_format)
