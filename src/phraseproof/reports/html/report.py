"""The HTML report on one or several runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple, cast

from phraseproof.analysis.ranking import WordingRanking
from phraseproof.core import Relation
from phraseproof.errors import NotEnoughDataError, RunError, UsageError
from phraseproof.reports.build.answers import chance_levels
from phraseproof.reports.build.compare import compare
from phraseproof.reports.build.run_tables import (
    RunScores,
    TaskTable,
    difference_name,
    present_groups,
    printable,
    require_percent,
    rows_for_people,
    task_tables,
    title,
    wording_tables,
)
from phraseproof.reports.build.runs import run_scores
from phraseproof.reports.build.sources import LoggedTraining, Sources
from phraseproof.reports.charts.chart import Chart
from phraseproof.reports.charts.distance import distance
from phraseproof.reports.charts.heatmap import heatmap
from phraseproof.reports.charts.scaling import scaling
from phraseproof.reports.charts.strip import strip
from phraseproof.reports.charts.training import training
from phraseproof.reports.charts.tsne import tsne
from phraseproof.reports.html.answers import TaskMatrices, task_matrices
from phraseproof.reports.html.compare import ComparisonView, comparison_views
from phraseproof.reports.html.document import render_page
from phraseproof.reports.html.flips import PER_TASK, Flip, find_flips
from phraseproof.reports.html.headline import Headline, headline
from phraseproof.reports.html.provenance import Provenance, provenance
from phraseproof.reports.html.statistics import StatisticsTable, statistics_table
from phraseproof.reports.html.wordings import CategoryRanking, category_rankings, rendered_examples

if TYPE_CHECKING:
    from phraseproof.analysis.controls import ControlResult
    from phraseproof.analysis.robustness import Row
    from phraseproof.analysis.scaling import ScalePoint
    from phraseproof.analysis.statistics import Robustness
    from phraseproof.store.queries import Run
    from phraseproof.store.representations import RepresentationMap

_MAPS_SHOWN = 4


@dataclass(frozen=True)
class View:
    """One run at one number of demonstrations, ready to be shown.

    Attributes:
        id: of its section; run: its place among the runs.
        remark: what to know before reading any number; may be empty.
        out_of_date: what to know of the charts of representations; may be empty.
    """

    id: str
    run: int
    name: str
    table: TaskTable
    remark: str
    rows: Sequence[Row]
    difference_names: Mapping[str, str]
    headline: Headline
    strip: Chart
    heatmaps: Sequence[Chart]
    category_rankings: Sequence[CategoryRanking]
    has_prompts: bool
    texts: Mapping[tuple[str, str], str]
    flips: Sequence[Flip] = ()
    answers: Sequence[TaskMatrices] = ()
    statistics: StatisticsTable | None = None
    control_results: Sequence[ControlResult] = ()
    representations: Sequence[Chart] = field(default_factory=list[Chart])
    out_of_date: str = ""

    def charts(self) -> dict[str, Chart]:
        """By the id of the figure that the template gives them."""
        found = {f"{self.id}-headline-chart": self.headline.chart, f"{self.id}-strip-chart": self.strip}
        found |= {f"{self.id}-heat-{n}": chart for n, chart in enumerate(self.heatmaps, 1)}
        return found | {f"{self.id}-representation-{n}": chart for n, chart in enumerate(self.representations, 1)}

    def sections(self) -> list[tuple[str, str]]:
        """Id and name of each section that there is something in."""
        named = [
            ("headline", "In short", True),
            ("strip", "Every wording", True),
            ("heat", "Task by wording", True),
            ("wordings", "Wordings, ranked", True),
            ("answers", "Answers", bool(self.answers)),
            ("flips", "Flips", bool(self.flips)),
            ("representations", "Representations", bool(self.representations)),
            ("controls", "Controls", bool(self.control_results)),
            ("table", "By task", True),
            ("statistics", "Statistics", self.statistics is not None),
        ]
        return [(f"{self.id}-{part}", name) for part, name, there in named if there]


class Origin(NamedTuple):
    """Where a run came from."""

    path: str
    provenance: Provenance


class TrainingView(NamedTuple):
    """A training's curves and settings."""

    name: str
    chart: Chart
    facts: list[tuple[str, str]]


def render_report(sources: Sources, *, title: str | None = None, current: str | None = None) -> str:
    """The page of one or several runs, each at every number of demonstrations.

    Args:
        sources: at least one run.
        title: the heading; the names of the runs' folders and of the models by default.
        current: the wording in use today, by name; where a run's first group has one wording, it is that.

    Raises:
        RunError, NotEnoughDataError: a run without finished cells, or whose scores cannot be trusted.
        UsageError: no run, or no wording of that name.
        MissingExtraError: the extra `report` is not installed.
    """
    if not sources.runs:
        raise UsageError("there is no run to report on", hint="Give a folder that `evaluate` wrote")
    scores = [run_scores(run) for run in sources.runs]
    _require_known(current, scores)
    for of_run in scores:
        require_percent(of_run.metric, "the report shows results")
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
    charts |= {f"training-{n}-chart": (0, item.chart) for n, item in enumerate(trainings, 1)}
    return render_page(
        "report.html.j2",
        title=title or _title(sources.runs, scores),
        subtitle=_subtitle(sources.runs, views),
        contents=_contents(views, comparisons, trainings, has_scaling=grown is not None),
        charts=charts,
        texts=[_texts(of_run) for of_run in scores],
        views=views,
        comparisons=comparisons,
        scaling=grown,
        trainings=trainings,
        current=current or _lone_first(scores[0]),
        origins=[Origin(str(run.path), provenance(run)) for run in sources.runs],
        flips_per_task=PER_TASK,
    )


def run_views(run: Run, scores: RunScores, number: int, current: str | None = None) -> list[View]:
    """One view per number of demonstrations of a run; `number` is its place among the runs."""
    from phraseproof.store.representations import load_map, out_of_date

    robust = _robustness(run, scores)
    rankings = {table.num_fewshot: table.rankings for table in wording_tables([scores])}
    current = current or _lone_first(scores)
    found = load_map(run.path)
    views: list[View] = []
    for table in task_tables([scores]):
        shots = table.num_fewshot
        of_shots = rankings[shots]
        examples = rendered_examples(run, shots)
        robustness = robust.statistics.get(shots)
        views.append(
            View(
                id=f"r{number}-k{shots}",
                run=number,
                name=f"{title(table)} ({scores.path})",
                table=table,
                remark=scores.basis,
                rows=rows_for_people(table.summary),
                difference_names={group: difference_name(table.summary, group) for group in table.summary.groups[1:]},
                headline=headline(table, of_shots, robustness, current, robust.controls),
                strip=strip(of_shots, current=current, chance=chance_levels(table.answers, table.run.metric)),
                heatmaps=_heatmaps(of_shots),
                category_rankings=category_rankings(of_shots, scores.texts, examples),
                has_prompts=bool(run.settings.get("log_samples")),
                texts=scores.texts,
                answers=task_matrices(table.answers, current),
                flips=find_flips(run, shots, controls=robust.controls),
                statistics=None if robustness is None else statistics_table(robustness),
                control_results=[result for result in robust.control_results if result.num_fewshot == shots],
                representations=[] if found is None else _representations(found, shots),
                out_of_date="" if found is None else out_of_date(run, found),
            )
        )
    return views


class _Found(NamedTuple):
    """Statistics by number of demonstrations, the groups of control wordings, and their results."""

    statistics: Mapping[int, Robustness]
    controls: frozenset[str]
    control_results: Sequence[ControlResult]


def _robustness(run: Run, scores: RunScores) -> _Found:
    from phraseproof.analysis.controls import CONTROLS, results_of_controls
    from phraseproof.analysis.grids import group_relations, load_grids
    from phraseproof.analysis.statistics import robustness

    relations: Mapping[str, Relation] = group_relations(run)
    controls = frozenset(group for group, relation in relations.items() if relation in CONTROLS)
    if scores.share < 1:
        return _Found({}, controls, ())
    grids = load_grids(run)
    found = {item.num_fewshot: item for item in robustness(grids, group_order=present_groups([scores]))}
    try:
        control_results = results_of_controls(grids, relations)
    except NotEnoughDataError:
        control_results = ()
    return _Found(found, controls, control_results)


def _heatmaps(rankings: Sequence[WordingRanking]) -> list[Chart]:
    categories = list(dict.fromkeys(ranking.category for ranking in rankings))
    return [
        heatmap(
            [ranking for ranking in rankings if ranking.category == category],
            title=category if len(categories) > 1 else "",
        )
        for category in categories
    ]


def _representations(found: RepresentationMap, shots: int) -> list[Chart]:
    tasks = list(dict.fromkeys(point.task for point in found.points if point.num_fewshot == shots))
    charts = [tsne(found, task, num_fewshot=shots) for task in tasks[:_MAPS_SHOWN]]
    return [chart for chart in (distance(found), *charts) if chart is not None]


def _scaling(runs: Sequence[Run]) -> Chart | None:
    """The gap by model size, where several models of known and different sizes were run."""
    from phraseproof.analysis.scaling import scale_points
    from phraseproof.analysis.scaling import scaling as regress

    points: list[ScalePoint] = []
    for run in runs:
        try:
            points += scale_points(run)
        except (NotEnoughDataError, RunError):
            continue
    if len({point.parameters for point in points}) < 3:
        return None
    try:
        return scaling(regress(points))
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


def _title(runs: Sequence[Run], scores: Sequence[RunScores]) -> str:
    """The folders' names and the models', which may be paths: their last part."""
    folders = dict.fromkeys(run.path.resolve().name for run in runs)
    models = dict.fromkeys(_short_name(of_run.model) for of_run in scores)
    return f"{', '.join(folders)}: how far wording moves {', '.join(models)}"


def _short_name(model: str) -> str:
    """The last part of a path; a hub id, which has at most one slash, as it is."""
    name, joint, adapter = model.partition(" + adapter ")
    is_path = name.startswith(("/", ".", "~")) or name.count("/") > 1 or "\\" in name
    return (PurePath(name.replace("\\", "/")).name if is_path else name) + joint + adapter


def _subtitle(runs: Sequence[Run], views: Sequence[View]) -> str:
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
    """Every later run against the first, where they share wordings."""
    found: list[ComparisonView] = []
    for number, run in enumerate(runs[1:], 1):
        try:
            found += comparison_views(compare(runs[0], run), prefix=f"compare-{number}")
        except NotEnoughDataError:
            continue
    return found


def _contents(
    views: Sequence[View],
    comparisons: Sequence[ComparisonView],
    trainings: Sequence[TrainingView],
    *,
    has_scaling: bool,
) -> list[tuple[str, str]]:
    found = [(view.id, f"Changes: {view.name}") for view in comparisons]
    found += views[0].sections() if len(views) == 1 else [(view.id, view.name) for view in views]
    found += [("scaling", "By model size")] if has_scaling else []
    found += [(f"training-{n}", "Training") for n, _ in enumerate(trainings, 1)]
    return [*found, ("repeat", "To repeat this")]


def _texts(scores: RunScores) -> dict[str, str]:
    """By wording where it has one text, else by task and wording."""
    texts: dict[str, set[str]] = {}
    for (_, wording), text in scores.texts.items():
        texts.setdefault(wording, set()).add(text)
    return {
        wording if len(texts[wording]) == 1 else f"{task}: {wording}": text
        for (task, wording), text in scores.texts.items()
    }


def _lone_first(scores: RunScores) -> str | None:
    """The wording of the first group where it is alone there: what is in use, against its alternatives."""
    groups = list(dict.fromkeys(score.group for score in scores.scores))
    names = {score.instruction for score in scores.scores if score.group == groups[0]}
    return names.pop() if len(names) == 1 and len(groups) > 1 else None


def _require_known(current: str | None, scores: Sequence[RunScores]) -> None:
    known = dict.fromkeys(score.instruction for of_run in scores for score in of_run.scores)
    if current is not None and current not in known:
        some = ", ".join(list(known)[:5])
        raise UsageError("no wording has this name", expected=f"one of: {some}, ...", got=current, where="--current")
