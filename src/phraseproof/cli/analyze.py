"""`phraseproof analyze`: what the numbers of a run are worth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.analysis.scaling import Scaling
    from phraseproof.store.queries import Run


def analyze(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders.")],
    by_task: Annotated[bool, typer.Option("--by-task", help="Every task and category, not only overall.")] = False,
    group_order: Annotated[
        str | None,
        typer.Option(metavar="GROUP,...", help="Groups to put first; the others are compared with the first of all."),
    ] = None,
    margin: Annotated[float, typer.Option(help="Points: a smaller difference does not matter.")] = 2.0,
    difference: Annotated[
        float, typer.Option(help="Points: tell how many wordings and examples would see this difference.")
    ] = 2.0,
    against: Annotated[
        str | None, typer.Option(metavar="WORDING", help="Test every other wording against this one (collection/id).")
    ] = None,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Fit mixed-effects logistic models, too: seconds a task and group.")
    ] = False,
    scaling: Annotated[
        bool, typer.Option("--scaling", help="Regress the gap of the runs on the logarithm of their models' sizes.")
    ] = False,
    parameters: Annotated[
        list[str] | None,
        typer.Option(metavar="RUN=NUMBER", help="A model's parameters, where its run does not say; can be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is resampled.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Show robustness with intervals, tests between groups, verdicts on controls, and what more data would buy."""
    for name, value in (("--margin", margin), ("--difference", difference)):
        if not 0 < value < 100:
            raise UsageError("not a number of points", expected="above 0 and below 100", got=f"{value:g}", where=name)
    order = [] if group_order is None else [name.strip() for name in group_order.split(",")]
    sizes = _sizes(parameters or [], runs)

    from phraseproof.reports.build.run_analysis import AnalysisOptions
    from phraseproof.reports.build.run_analysis import analyze as analyze_run
    from phraseproof.reports.format import analysis_json as statistics_json
    from phraseproof.reports.format import analysis_text as statistics_text
    from phraseproof.store.queries import load_run

    opened = [load_run(path) for path in runs]
    for run in opened:
        if run.missing:
            count = f"{len(run.missing)} of {len(run.cells)} cells"
            typer.echo(f"warning: {run.path}: {count} are missing; the numbers rest on the others", err=True)
    options = AnalysisOptions(
        group_order=order, margin=margin / 100, difference=difference / 100, against=against, mixed=mixed, seed=seed
    )
    line = _scaling(opened, order, sizes) if scaling else None
    found = [each for run in opened for each in analyze_run(run, options)]
    if as_json:
        typer.echo(statistics_json.render(found, line).encode(), nl=False)
        return
    from phraseproof.cli.table import screen

    text = statistics_text.render(found, screen(), by_task=by_task, scaling=line)
    typer.echo(text.encode(sys.stdout.encoding or "utf-8", errors="replace"), nl=False)


def _sizes(entries: list[str], runs: list[Path]) -> dict[Path, int]:
    sizes: dict[Path, int] = {}
    for entry in entries:
        name, _, number = entry.rpartition("=")
        try:
            count = float(number)
        except ValueError:
            count = 0.0
        if not name or not 1 <= count < 1e18:
            raise UsageError(
                "not a model's size", expected="RUN=NUMBER, as in runs/base=250e6", got=entry, where="--parameters"
            )
        if Path(name) not in runs:
            raise UsageError("no such run is given", expected=", ".join(map(str, runs)), got=name, where="--parameters")
        sizes[Path(name)] = round(count)
    return sizes


def _scaling(runs: list[Run], order: list[str], sizes: dict[Path, int]) -> Scaling:
    from phraseproof.analysis.scaling import scale_points, scaling

    reference, group = (*order, None, None)[:2]
    return scaling(
        [
            point
            for run in runs
            for point in scale_points(run, reference=reference, group=group, parameters=sizes.get(run.path))
        ]
    )
