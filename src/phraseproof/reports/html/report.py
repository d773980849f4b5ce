"""The HTML report on runs, trainings and searches among methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from phraseproof.analysis.grids import metric_of
from phraseproof.errors import NotEnoughDataError, RunError, UsageError
from phraseproof.reports.build.compare import compare
from phraseproof.reports.build.run_tables import (
    RunScores,
)
from phraseproof.reports.build.runs import run_scores
from phraseproof.reports.build.searches import search_of
from phraseproof.reports.build.sources import LoggedTraining, Sources
from phraseproof.reports.build.text import printable, short_model_name
from phraseproof.reports.charts.chart import Chart
from phraseproof.reports.charts.scaling import scaling
from phraseproof.reports.charts.training import training
from phraseproof.reports.html import disagreements, texts
from phraseproof.reports.html.compare import ComparisonView, comparison_views
from phraseproof.reports.html.document import render_page
from phraseproof.reports.html.flips import PER_TASK
from phraseproof.reports.html.provenance import Provenance, provenance
from phraseproof.reports.html.searches import SearchView, search_view
from phraseproof.reports.html.views import View, lone_first, run_views

if TYPE_CHECKING:
    from phraseproof.analysis.scaling import ScalePoint
    from phraseproof.store.queries import Run


class Origin(NamedTuple):
    """Where a run came from.

    Attributes:
        search: the folder of the search among methods that it is part of; `None` for other runs.
    """

    path: str
    provenance: Provenance
    search: str | None


class TrainingView(NamedTuple):
    """A training's curves and settings."""

    name: str
    chart: Chart
    facts: list[tuple[str, str]]


def render_report(sources: Sources, *, title: str | None = None, current: str | None = None) -> str:
    """The page of searches, and of runs, each at every number of demonstrations.

    Args:
        sources: at least one run or search.
        title: the heading; the names of the folders and of the models by default.
        current: the wording in use today, by name; where a run's first group has one wording, it is that.

    Raises:
        RunError, NotEnoughDataError: a run without finished cells, or whose scores cannot be trusted.
        UsageError: neither run nor search, or no wording of that name.
        MissingExtraError: the extra `report` is not installed.
    """
    if not sources.runs and not sources.searches:
        raise UsageError("there is no run to report on", hint="Give a folder that `evaluate` wrote")
    scores = [run_scores(run) for run in sources.runs]
    _require_known(current, scores)
    views: list[View] = []
    for number, (run, of_run) in enumerate(zip(sources.runs, scores, strict=True)):
        views += run_views(run, of_run, number, current)
    charts = {figure: (view.run, chart) for view in views for figure, chart in view.charts().items()}
    comparisons = _comparisons(sources.runs)
    grown = _scaling(sources.runs)
    if grown is not None:
        charts["scaling-chart"] = (0, grown)
    charts |= {f"{view.id}-chart": (0, view.chart) for view in comparisons}
    trainings = [_training_view(item) for item in sources.trainings]
    searches = [search_view(item, number) for number, item in enumerate(sources.searches)]
    charts |= {
        figure: (len(scores) + number, chart)
        for number, view in enumerate(searches)
        for figure, chart in view.charts().items()
    }
    charts |= {f"training-{n}-chart": (0, item.chart) for n, item in enumerate(trainings, 1)}
    return render_page(
        "report.html.j2",
        title=title or _title(sources.runs, scores, searches),
        subtitle=_subtitle(sources.runs, views, searches),
        contents=_contents(views, comparisons, trainings, searches, has_scaling=grown is not None),
        charts=charts,
        texts=[*(_texts(of_run) for of_run in scores), *(view.texts for view in searches)],
        searches=searches,
        views=views,
        comparisons=comparisons,
        scaling=grown,
        trainings=trainings,
        current=current or (lone_first(scores[0]) if scores else None),
        origins=[Origin(run.name, provenance(run), _search_of(run)) for run in sources.runs],
        flips_per_task=PER_TASK,
        texts_per_task=texts.PER_TASK,
        disagreements_per_task=disagreements.PER_TASK,
    )


def _scaling(runs: Sequence[Run]) -> Chart | None:
    """The gap by model size, where several models of known and different sizes were run."""
    from phraseproof.analysis.readings import reading_of
    from phraseproof.analysis.scaling import scale_points
    from phraseproof.analysis.scaling import scaling as regress

    if not runs or len({reading for run in runs if (reading := reading_of(run)) is not None}) > 1:
        return None
    points: list[ScalePoint] = []
    metric = metric_of(runs[0])
    if any(metric_of(run).name != metric.name for run in runs):
        return None
    for run in runs:
        try:
            points += scale_points(run)
        except (NotEnoughDataError, RunError):
            continue
    if len({point.parameters for point in points}) < 3:
        return None
    try:
        return scaling(regress(points), metric)
    except NotEnoughDataError:
        return None


def _training_view(item: LoggedTraining) -> TrainingView:
    chart = training(item.steps)
    if chart is None:
        raise RunError("the log of the training holds no losses", where=str(item.path))
    settings: object = item.record.get("settings")
    facts: Mapping[str, object] = cast("Mapping[str, object]", settings) if isinstance(settings, Mapping) else {}
    shown = [(printable(name), printable(str(value))) for name, value in facts.items()]
    return TrainingView(str(item.path), chart, shown)


def _search_of(run: Run) -> str | None:
    """The search of a run, as it is reached from the run's path as given."""
    found = search_of(run.path)
    if found is None:
        return None
    depth = run.path.resolve().parents.index(found)
    above = run.path.parents
    return str(above[depth] if depth < len(above) and above[depth].resolve() == found else found)


def _title(runs: Sequence[Run], scores: Sequence[RunScores], searches: Sequence[SearchView]) -> str:
    """The folders' names and the models', which may be paths: their last part."""
    folders = dict.fromkeys(
        [*(Path(view.path).resolve().name for view in searches), *(run.path.resolve().name for run in runs)]
    )
    models = dict.fromkeys(
        short_model_name(name)
        for name in (*(view.found.model for view in searches), *(of_run.model for of_run in scores))
    )
    what = "effect of wording" if runs else "which training reduces the effect of wording"
    named, by = ", ".join(folders), ", ".join(models)
    return f"{what[0].upper()}{what[1:]} on {by}" if named == by else f"{named}: {what} on {by}"


def _subtitle(runs: Sequence[Run], views: Sequence[View], searches: Sequence[SearchView]) -> str:
    if not runs:
        tasks = {task for view in searches for name in view.found.reported for task in view.found.tasks(name)}
        methods = {row.method for view in searches for row in view.candidates[1:]}
        counts = ((len(tasks), "task"), (len(methods), "method"))
        return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts)
    tasks = {row.name for view in views for row in view.table.summary.tasks}
    wordings = {score.instruction for view in views for score in view.table.run.scores}
    parts = [f"{len(tasks)} task{'' if len(tasks) == 1 else 's'}", f"{len(wordings)} wordings"]
    if len(runs) > 1:
        parts.append(f"{len(runs)} runs")
    missing = sum(len(run.missing) for run in runs)
    if missing:
        parts.append(f"unfinished: {missing} of {sum(len(run.cells) for run in runs)} cells are missing")
    return ", ".join(parts)


def _comparisons(runs: Sequence[Run]) -> list[ComparisonView]:
    """Every later run against the first, where they share wordings and the metric."""
    found: list[ComparisonView] = []
    for number, run in enumerate(runs[1:], 1):
        if metric_of(run).name != metric_of(runs[0]).name:
            continue
        try:
            found += comparison_views(compare(runs[0], run), prefix=f"compare-{number}")
        except NotEnoughDataError:
            continue
    return found


def _contents(
    views: Sequence[View],
    comparisons: Sequence[ComparisonView],
    trainings: Sequence[TrainingView],
    searches: Sequence[SearchView],
    *,
    has_scaling: bool,
) -> list[tuple[str, str]]:
    found = [section for view in searches for section in view.sections()]
    found += [(view.id, f"Changes: {view.name}") for view in comparisons]
    found += views[0].sections() if len(views) == 1 else [(view.id, view.name) for view in views]
    found += [("scaling", "By model size")] if has_scaling else []
    found += [(f"training-{n}", "Training") for n, _ in enumerate(trainings, 1)]
    return [*found, *([("repeat", "To repeat this")] if views else [])]


def _texts(scores: RunScores) -> dict[str, str]:
    """By wording where it has one text, else by task and wording."""
    texts: dict[str, set[str]] = {}
    for (_, wording), text in scores.texts.items():
        texts.setdefault(wording, set()).add(text)
    return {
        wording if len(texts[wording]) == 1 else f"{task}: {wording}": text
        for (task, wording), text in scores.texts.items()
    }


def _require_known(current: str | None, scores: Sequence[RunScores]) -> None:
    known = dict.fromkeys(score.instruction for of_run in scores for score in of_run.scores)
    if current is not None and current not in known:
        some = ", ".join(list(known)[:5])
        raise UsageError("no wording has this name", expected=f"one of: {some}, ...", got=current, where="--current")
