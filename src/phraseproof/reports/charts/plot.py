"""Pictures for papers: the page's charts as PDF, SVG or PNG."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.files import replacing
from phraseproof.reports.build.answers import chance_levels
from phraseproof.reports.build.run_tables import present_groups, task_tables, wording_tables
from phraseproof.reports.build.runs import run_scores
from phraseproof.reports.charts.chart import Chart
from phraseproof.reports.charts.theme import VEGA_LITE, config, whole_spec
from phraseproof.reports.charts.vega import vl_convert

if TYPE_CHECKING:
    from phraseproof.analysis.ranking import WordingRanking
    from phraseproof.reports.build.sources import Sources
    from phraseproof.store.queries import Run
    from phraseproof.store.representations import RepresentationMap

PNG_SCALE = 4
"""Pixels a point: 288 to the inch, which print asks for."""


class ChartKind(StrEnum):
    """What is drawn."""

    HEADLINE = "headline"
    STRIP = "strip"
    HEATMAP = "heatmap"
    DISTANCE = "distance"
    TSNE = "tsne"
    SCALING = "scaling"
    TRAINING = "training"
    ENSEMBLE = "ensemble"
    GAINS = "gains"


def draw(chart: Chart, path: Path, *, width: int) -> None:
    """Write a chart to a file, in the format that its name ends in.

    Args:
        width: in points (1/72 inch), axes and labels included.

    Raises:
        UsageError: a name that ends in none of pdf, svg and png.
        FileError: the file cannot be written.
        MissingExtraError: the extra `report` is not installed.
    """
    form = path.suffix.lower().lstrip(".")
    if form not in {"pdf", "svg", "png"}:
        raise UsageError("not a format for pictures", expected=".pdf, .svg or .png", got=path.name, where="--out")
    width = max(width, chart.min_width)
    spec = json.dumps(whole_spec(chart, width=width, theme=config(print_=True)), allow_nan=False)
    converter = vl_convert()
    match form:
        case "pdf":
            content: bytes = converter.vegalite_to_pdf(spec, vl_version=VEGA_LITE)
        case "svg":
            content = str(converter.vegalite_to_svg(spec, vl_version=VEGA_LITE)).encode()
        case _:
            content = converter.vegalite_to_png(spec, vl_version=VEGA_LITE, scale=PNG_SCALE, ppi=72)
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def make_chart(
    sources: Sources,
    kind: ChartKind,
    *,
    task: str | None = None,
    num_fewshot: int | None = None,
    parameters: Mapping[str, int] | None = None,
    layer: int | None = None,
) -> Chart:
    """The chart of a kind, of the first run (scaling: of all), training or search.

    Args:
        task: draw this task only, or the tasks of this category; needed by `tsne` where there are several.
        num_fewshot: needed where the run has several.
        parameters: for `scaling`, sizes of models by run, where the runs do not know them.
        layer: for `distance` and `tsne`, which representations are drawn, counted from 0; the penultimate by default.

    Raises:
        UsageError: there is no such task or number of demonstrations, nothing of that kind was named, or runs in
            different metrics (`scaling`).
        NotEnoughDataError: the run does not hold what the kind needs.
    """
    if kind is ChartKind.TRAINING:
        return _training(sources)
    if kind is ChartKind.GAINS:
        return _gains(sources, task)
    if not sources.runs:
        raise UsageError("there is no run to draw", hint="Give a folder that `evaluate` wrote")
    if kind is ChartKind.SCALING:
        return _scaling(sources.runs, parameters or {})
    run = sources.runs[0]
    if kind in {ChartKind.DISTANCE, ChartKind.TSNE}:
        return _representations(run, kind, task, num_fewshot, layer=layer)
    if kind is ChartKind.ENSEMBLE:
        return _ensemble(run, task, num_fewshot)
    return _scores(run, kind, task, num_fewshot)


def remarks(sources: Sources, kind: ChartKind, *, layer: int | None = None) -> list[str]:
    """What to know before a chart of this kind is believed, a sentence each; `layer` as for `make_chart`."""
    from phraseproof.store.representations import load_map, out_of_date

    found = load_map(sources.runs[0].path, layer) if kind is ChartKind.DISTANCE and sources.runs else None
    remark = "" if found is None else out_of_date(sources.runs[0], found)
    return [remark] if remark else []


def _scores(run: Run, kind: ChartKind, task: str | None, num_fewshot: int | None) -> Chart:
    from phraseproof.reports.charts.heatmap import heatmap
    from phraseproof.reports.charts.strip import strip

    run.require_whole()
    scores = run_scores(run)
    tables = wording_tables([scores])
    shots = _shots([table.num_fewshot for table in tables], num_fewshot)
    rankings = next(table.rankings for table in tables if table.num_fewshot == shots)
    table = next(table for table in task_tables([scores]) if table.num_fewshot == shots)
    if kind is ChartKind.HEADLINE:
        from phraseproof.analysis.grids import load_grids
        from phraseproof.analysis.statistics import robustness
        from phraseproof.reports.charts.headline import mean_intervals

        found = {item.num_fewshot: item for item in robustness(load_grids(run), group_order=present_groups([scores]))}
        return mean_intervals(table, found.get(shots))
    chosen = _chosen(rankings, task)
    return (
        strip(chosen, scores.metric, chance=chance_levels(table.answers, scores.metric))
        if kind is ChartKind.STRIP
        else heatmap(chosen, scores.metric)
    )


def _ensemble(run: Run, task: str | None, num_fewshot: int | None) -> Chart:
    from phraseproof.reports.build.ensembles import ensemble_reports, read_settings
    from phraseproof.reports.charts.ensemble import ensemble

    settings = read_settings("mean_probability", "1,2,3,5,10,all", "batch")
    reports = ensemble_reports(run, settings, tasks=[] if task is None else [task])
    shots = _shots([report.num_fewshot for report in reports], num_fewshot)
    report = next(report for report in reports if report.num_fewshot == shots)
    return ensemble(report, report.top)


def _chosen(rankings: Sequence[WordingRanking], task: str | None) -> list[WordingRanking]:
    chosen = [ranking for ranking in rankings if task in {None, ranking.task, ranking.category}]
    if not chosen:
        known = dict.fromkeys(ranking.task for ranking in rankings)
        raise UsageError("no task has this name", expected=f"one of: {', '.join(known)}", got=task, where="--task")
    return chosen


def _representations(
    run: Run, kind: ChartKind, task: str | None, num_fewshot: int | None, *, layer: int | None
) -> Chart:
    from phraseproof.reports.charts.distance import distance
    from phraseproof.reports.charts.tsne import tsne
    from phraseproof.store.representations import load_map

    found = load_map(run.path, layer)
    if found is None:
        what = "no representations" if layer is None else f"no representations of layer {layer}, counted from 0"
        raise NotEnoughDataError(f"the run holds {what}", where=run.name, hint="Make them with `phraseproof represent`")
    if kind is ChartKind.DISTANCE:
        chart = distance(found)
        if chart is None:
            raise NotEnoughDataError("the run holds distances, but no accuracies", where=run.name)
        return chart
    shots = _shots(sorted({point.num_fewshot for point in found.points}), num_fewshot)
    chart = tsne(found, task or _lone_task(found), num_fewshot=shots)
    if chart is None:
        known = ", ".join(dict.fromkeys(point.task for point in found.points))
        raise UsageError("the run holds no coordinates of this task", expected=known, got=task, where="--task")
    return chart


def _lone_task(found: RepresentationMap) -> str:
    tasks = list(dict.fromkeys(point.task for point in found.points))
    if len(tasks) != 1:
        raise UsageError("a t-SNE is of one task", expected=f"one of: {', '.join(tasks)}", where="--task")
    return tasks[0]


def _training(sources: Sources) -> Chart:
    from phraseproof.reports.charts.training import training

    if not sources.trainings:
        raise UsageError("there is no training to draw", hint="Give a folder that `align` wrote")
    chart = training(sources.trainings[0].steps)
    if chart is None:
        raise NotEnoughDataError("the log holds no losses", where=str(sources.trainings[0].path))
    return chart


def _gains(sources: Sources, task: str | None) -> Chart:
    from phraseproof.reports.charts.gains import gains

    if not sources.searches:
        raise UsageError(
            "there is no search to draw", hint="Give the folder that `harden --methods` wrote, which holds search.json"
        )
    search = sources.searches[0].found
    if task is None:
        return gains(search)
    of = {each: name for name in reversed(search.reported) for each in search.tasks(name)}
    if task not in of:
        raise UsageError("no task has this name", expected=f"one of: {', '.join(of)}", got=task, where="--task")
    return gains(search, of[task], task=task)


def _scaling(runs: Sequence[Run], parameters: Mapping[str, int]) -> Chart:
    from phraseproof.analysis.readings import require_one_reading, shared_metric
    from phraseproof.analysis.scaling import scale_points
    from phraseproof.analysis.scaling import scaling as regress
    from phraseproof.reports.charts.scaling import scaling

    known = {run.name for run in runs}
    for path in parameters:
        if path not in known:
            raise UsageError("not one of the runs", expected=", ".join(known), got=path, where="--parameters")
    metric = shared_metric(runs, "--scaling")
    require_one_reading(runs)
    points = [point for run in runs for point in scale_points(run, parameters=parameters.get(run.name))]
    return scaling(regress(points), metric)


def _shots(known: Sequence[int], asked: int | None) -> int:
    if asked is None and len(known) == 1:
        return known[0]
    if asked is None or asked not in known:
        numbers = ", ".join(map(str, known))
        raise UsageError(
            "which number of demonstrations?",
            expected=f"one of: {numbers}",
            got=None if asked is None else str(asked),
            where="--num-fewshot",
        )
    return asked
