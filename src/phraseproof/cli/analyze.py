"""`phraseproof analyze`: every statistic of a run, with intervals and tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import option_values, options, terminal
from phraseproof.cli.output_format import OutputFormat, print_results, read_format
from phraseproof.cli.run_folders import open_runs, read_sizes

if TYPE_CHECKING:
    from phraseproof.analysis.scaling import Scaling
    from phraseproof.store.queries import Run


def analyze(
    runs: options.RunFolders,
    by_task: Annotated[
        bool,
        typer.Option(
            "--by-task", help="Show every task and category, not only overall.", rich_help_panel=options.OUTPUT
        ),
    ] = False,
    group_order: options.GroupOrder = None,
    scoring: options.ScoringOfRun = None,
    metric: options.MetricOfRun = None,
    margin: Annotated[
        float | None,
        typer.Option(
            help="The largest difference, in points or the metric's unit, that counts as equivalent. "
            "Default: 2 points, or the metric's own.",
            rich_help_panel=options.STATISTICS,
        ),
    ] = None,
    difference: Annotated[
        float | None,
        typer.Option(
            help="The difference, in the same unit, for which the numbers of wordings and examples are computed. "
            "Default: as --margin.",
            rich_help_panel=options.STATISTICS,
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="WORDING",
            help="Test every other wording against this one (collection/id).",
            rich_help_panel=options.STATISTICS,
        ),
    ] = None,
    mixed: Annotated[
        bool,
        typer.Option(
            "--mixed",
            help="Also fit mixed-effects logistic models. Takes seconds per task and group.",
            rich_help_panel=options.STATISTICS,
        ),
    ] = False,
    scaling: Annotated[
        bool,
        typer.Option(
            "--scaling",
            help="Regress the difference between groups on the logarithm of the models' sizes.",
            rich_help_panel=options.STATISTICS,
        ),
    ] = False,
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RUN=NUMBER",
            help="The number of a model's parameters, if its run does not hold it. Repeatable.",
            rich_help_panel=options.STATISTICS,
        ),
    ] = None,
    seed: options.Seed = 0,
    output_format: OutputFormat = None,
    as_json: options.AsJson = False,
) -> None:
    """Show robustness with intervals, tests between groups, control conditions, and how much data would be enough."""
    chosen = read_format(output_format, as_json=as_json)
    order = option_values.read_group_order(group_order)
    sizes = read_sizes(parameters or [], runs)

    from phraseproof.reports.build.results import analysis_results
    from phraseproof.reports.build.run_analysis import AnalysisOptions
    from phraseproof.reports.build.run_analysis import analyze as analyze_run
    from phraseproof.reports.format import analysis_json, analysis_text

    opened = open_runs(runs, scoring, metric)
    asked = AnalysisOptions(
        group_order=order, margin=margin, difference=difference, against=against, mixed=mixed, seed=seed
    )
    line = _scaling(opened, order, sizes) if scaling else None
    found = [each for run in opened for each in analyze_run(run, asked)]
    match chosen:
        case "text":
            terminal.print_result(analysis_text.render(found, terminal.screen(), by_task=by_task, scaling=line))
        case "json":
            terminal.print_file(analysis_json.render(found, line))
        case _:
            print_results(analysis_results(found, line), chosen)


def _scaling(runs: list[Run], order: list[str], sizes: dict[Path, int]) -> Scaling:
    from phraseproof.analysis.readings import require_one_reading, shared_metric
    from phraseproof.analysis.scaling import scale_points, scaling

    shared_metric(runs, "--scaling")
    require_one_reading(runs)
    reference, group = (*order, None, None)[:2]
    return scaling(
        [
            point
            for run in runs
            for point in scale_points(run, reference=reference, group=group, parameters=sizes.get(Path(run.name)))
        ]
    )
