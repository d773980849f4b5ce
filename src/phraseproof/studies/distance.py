"""`distance`: how far unobserved wordings are from observed ones inside the model (section 4.6, Table 5, Figure 5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from phraseproof.analysis.aggregation import Level, by_level
from phraseproof.analysis.grids import metric_of
from phraseproof.analysis.representations import MapSettings, describe
from phraseproof.analysis.results import ResultTable
from phraseproof.reports.build.numbers import difference_in_unit, p_number
from phraseproof.reports.build.representations import representation_results
from phraseproof.reports.build.runs import model_name
from phraseproof.reports.build.text import short_model_name
from phraseproof.reports.charts.distance import distance as distance_chart
from phraseproof.store.queries import load_run
from phraseproof.store.vectors import load_vectors
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.measured import two_groups
from phraseproof.studies.published import figures
from phraseproof.studies.representation_step import representation_steps
from phraseproof.studies.steps import slug
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.studies.used_options import EVALUATION, UsedOptions

if TYPE_CHECKING:
    from phraseproof.reports.charts.chart import Chart
    from phraseproof.scoring.metric import Metric
    from phraseproof.store.queries import Run
    from phraseproof.store.representations import Regression, RepresentationMap, TaskDistance

TABLE = "Table 5"
REGRESSION = "Section 4.6"


@dataclass(frozen=True)
class ModelDistances:
    """The distances of one model.

    Attributes:
        run: with the accuracies.
        found: distances, and their regression.
    """

    run: Run
    found: RepresentationMap

    @property
    def model(self) -> str:
        """The model's name, short."""
        return short_model_name(model_name(self.run))

    @property
    def metric(self) -> Metric:
        """What accuracies are in."""
        return metric_of(self.run)


@dataclass(frozen=True)
class _MeanDistance:
    name: str
    category: str
    level: Level
    distance: float
    degradation: float | None
    num_tasks: int


class DistanceStudy:
    """Distances between wordings, and whether accuracy falls with distance."""

    name = "distance"
    exhibit = "Table 5 and Figure 5"
    about = "distance of unobserved wordings to the nearest observed one in hidden states, and the accuracy they cost"
    needs = "a model whose hidden states can be read, tasks with options, two groups of wordings"
    min_models: int = 1
    options = UsedOptions(of_models=EVALUATION, of_runs=frozenset())

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """The run of `table-3` of every model, and its vectors."""
        return representation_steps(request)

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """Distances per category and task, and the regression of accuracy on distance."""
        del request
        measured = [distances_of(folder) for folder in dict.fromkeys(step.folder for step in steps)]
        printed = figures([TABLE, REGRESSION])
        rows = [
            row
            for each in measured
            for row in representation_results(each.found, run=str(each.run.path), scoring=each.run.scoring)
        ]
        rows += [row for each in printed for row in each.rows()]
        charts: dict[str, Chart] = {}
        for each in measured:
            chart = distance_chart(each.found)
            if chart is not None:
                charts[f"accuracy-by-distance-{slug(each.model)}"] = chart
        notes = [
            f"{each.model}: at most {each.found.settings['limit']} examples per task, "
            f"distances to the nearest wording of {each.found.reference}"
            for each in measured
        ]
        notes += [note for each in measured for note in each.found.notes]
        notes.append("Distances depend on the scale of a model's hidden states: compare them within a model only.")
        return Exhibit(
            study=self.name,
            title="Distance between wordings inside the model",
            tables=(_by_category(measured), *map(_by_task, measured), _regressions(measured)),
            results=ResultTable(tuple(rows)),
            charts=charts,
            notes=tuple(dict.fromkeys(notes)),
        )


def distances_of(folder: Path, *, before: Path | None = None) -> ModelDistances:
    """Distances of the vectors in a run's folder, and the accuracies of the run.

    Args:
        folder: of the run.
        before: of the run of the model before it was trained, whose distances are added.

    Raises:
        RunError: the folder holds no vectors.
        NotEnoughDataError: no task has wordings of two groups.
        UsageError: the vectors before are not of the same examples.
    """
    run = load_run(folder)
    settings = MapSettings(reference=two_groups(run)[0], methods=())
    earlier = None if before is None else load_vectors(before)
    found = describe(load_vectors(folder), settings, scores=run.wording_scores(), before=earlier, metric=metric_of(run))
    return ModelDistances(run, found)


def _means(tasks: Sequence[TaskDistance]) -> Iterator[_MeanDistance]:
    """Categories, then everything, as the paper averages."""

    def mean(level: Level, name: str, below: Sequence[_MeanDistance]) -> _MeanDistance:
        changes = [each.degradation for each in below if each.degradation is not None]
        return _MeanDistance(
            name,
            name if level is Level.CATEGORY else "",
            level,
            fmean(each.distance for each in below),
            fmean(changes) if len(changes) == len(below) else None,
            sum(each.num_tasks for each in below),
        )

    rows = [_MeanDistance(each.task, each.category, Level.TASK, each.distance, each.degradation, 1) for each in tasks]
    levels = by_level(rows, category=lambda row: row.category, combine=mean)
    yield from levels.categories
    yield levels.overall


def _by_category(measured: Sequence[ModelDistances]) -> ExhibitTable:
    """The layout of Table 5, with the paper's rows."""
    rows: list[tuple[str, ...]] = []
    for each in measured:
        for place, mean in enumerate(_means(each.found.tasks)):
            change = "" if mean.degradation is None else difference_in_unit(mean.degradation, each.metric)
            model = each.model if place == 0 else ""
            rows.append((model, mean.name, f"{mean.distance:.1f}", change, str(mean.num_tasks)))
    printed = {(each.name, each.statistic): each for each in figures([TABLE])}
    for place, name in enumerate(dict.fromkeys(name for name, _ in printed)):
        distance, change = printed[name, "distance"], printed[name, "difference"]
        rows.append((f"{distance.model} (printed)" if place == 0 else "", name, distance.value, change.value, ""))
    line = (
        "distance: mean l2 to the nearest observed wording, per example; accuracy: unobserved minus observed, in "
        "points; means over wordings, tasks and categories"
    )
    headings = ("model", "", "distance", "accuracy", "tasks")
    return ExhibitTable("By category", headings, tuple(rows), (line,), num_names=2)


def _by_task(measured: ModelDistances) -> ExhibitTable:
    rows = [
        (
            task.task,
            f"{task.distance:.1f}",
            "" if task.degradation is None else difference_in_unit(task.degradation, measured.metric),
            str(task.num_wordings),
            str(task.num_examples),
        )
        for task in measured.found.tasks
    ]
    headings = ("task", "distance", "accuracy", "wordings", "examples")
    return ExhibitTable(f"By task: {measured.model}", headings, tuple(rows))


def _regressions(measured: Sequence[ModelDistances]) -> ExhibitTable:
    """The regression of Figure 5; the paper does not say what its points are."""
    rows: list[tuple[str, ...]] = []
    for each in measured:
        lines = (("wordings", each.found.regression), ("tasks", each.found.task_regression))
        rows += [_regression_row(each.model, over, line) for over, line in lines if line is not None]
    printed = {each.statistic: each.value for each in figures([REGRESSION])}
    known = figures([REGRESSION])[0].model
    rows.append((f"{known} (printed)", "not said", printed["slope"], "", printed["p"], "", ""))
    reasons = tuple(
        f"{each.model}: no regression, {each.found.regression_reason}"
        for each in measured
        if each.found.regression_reason
    )
    line = "Least squares of accuracy on distance. Wordings of a task share examples: p over wordings is a description."
    headings = ("model", "points are", "slope", "95% interval", "p", "R²", "n")
    return ExhibitTable("Points of accuracy per unit of distance", headings, tuple(rows), (line, *reasons), num_names=2)


def _regression_row(model: str, over: str, line: Regression) -> tuple[str, ...]:
    return (
        model,
        over,
        f"{line.slope:+.3g}",
        f"{line.slope_low:+.3g} to {line.slope_high:+.3g}",
        p_number(line.p_value),
        f"{line.r_squared:.3f}",
        str(line.n),
    )
