"""`phraseproof plot`: one chart in print quality."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from phraseproof.cli import options, terminal
from phraseproof.errors import UsageError

# The members of reports.charts.plot.ChartKind, repeated here so that `--help` does not import the reports.
KindName = Literal["headline", "strip", "heatmap", "distance", "tsne", "scaling", "training", "ensemble", "gains"]


def plot(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN",
            help="A run folder. For training: the folder of a training. For gains: that of `harden --methods`. "
            "For scaling: several run folders.",
        ),
    ],
    kind: Annotated[KindName, typer.Option("--kind", "-k", help="The chart to draw.", rich_help_panel=options.OUTPUT)],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The file to write: .pdf, .svg or .png.", rich_help_panel=options.OUTPUT)
    ],
    task: Annotated[
        str | None,
        typer.Option(help="Draw only this task, or the tasks of this category.", rich_help_panel=options.DATA),
    ] = None,
    num_fewshot: Annotated[
        int | None,
        typer.Option(help="The number of demonstrations, if the run has several.", rich_help_panel=options.DATA),
    ] = None,
    layer: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="For distance and tsne: the layer, as numbered in the folder that `represent --layer` wrote. "
            "Default: the penultimate.",
            show_default=False,
            rich_help_panel=options.DATA,
        ),
    ] = None,
    scoring: options.ScoringOfRun = None,
    metric: options.MetricOfRun = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RUN=NUMBER",
            help="The number of a model's parameters, for scaling, if its run does not hold it.",
            rich_help_panel=options.STATISTICS,
        ),
    ] = None,
    width: Annotated[
        int, typer.Option(help="The width of the chart in points (1/72 inch).", rich_help_panel=options.OUTPUT)
    ] = 480,
) -> None:
    """Draw one chart of the report in print quality: PDF, SVG or PNG."""
    if not 100 <= width <= 5000:
        raise UsageError("not a width", expected="100 to 5000 points", got=str(width), where="--width")

    from phraseproof.cli.run_folders import read_sizes, warn_of_changed_sources
    from phraseproof.reports.build.sources import open_sources
    from phraseproof.reports.charts.plot import ChartKind, draw, make_chart, remarks

    sizes = {str(path): number for path, number in read_sizes(parameters or [], runs).items()}
    sources = open_sources(runs, scoring=scoring, metric=metric)
    warn_of_changed_sources(sources.runs)
    chart = make_chart(sources, ChartKind(kind), task=task, num_fewshot=num_fewshot, parameters=sizes, layer=layer)
    draw(chart, out, width=width)
    for remark in remarks(sources, ChartKind(kind), layer=layer):
        terminal.warn(remark)
    typer.echo(str(out))
