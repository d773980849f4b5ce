"""The findings of `represent` as the rows of a result table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.result_rows import Place, RowSource, finding_row
from phraseproof.analysis.results import WORDING, ResultRow, ResultTable
from phraseproof.core import Finding
from phraseproof.scoring.registry import metric
from phraseproof.store.representations import TaskDistance

if TYPE_CHECKING:
    from phraseproof.store.representations import Regression, RepresentationMap, WordingDistance

_DISTANCE_UNIT = ("l2", 1.0)
_NEAREST = "mean over examples of the l2 distance to the nearest wording of the group"


def representation_results(found: RepresentationMap, *, run: str, scoring: str = "") -> ResultTable:
    """Distances and differences per wording, task and category, and the regressions of one on the other.

    Args:
        run: the folder.
        scoring: the scorer of the scores; empty where there are none.

    Raises:
        UsageError: the package that defines the metric is not installed.
    """
    source = RowSource(run, 0, scoring, metric(found.metric))
    rows: list[ResultRow] = []
    for wording in found.distances:
        place = Place(WORDING, wording.category, wording.task, wording.group, wording.instruction)
        num_examples = _num_examples(wording, found.tasks)
        rows += _rows(
            wording, place, source, found.reference, num_examples, f"{_NEAREST} {found.reference}{found.of_layer}"
        )
        if wording.accuracy is not None:
            mean = Finding("mean", wording.accuracy, num_examples, "mean over examples")
            rows.append(finding_row(_at(source, wording), place, mean.name, mean, source.unit("mean")))
    for task in found.tasks:
        place = Place(Level.TASK, task.category, task.task)
        rows += _rows(task, place, source, found.reference, task.num_wordings, f"mean over wordings{found.of_layer}")
    for mean in category_distances(found):
        place = Place(Level.CATEGORY, mean.category)
        rows += _rows(mean, place, source, found.reference, mean.num_wordings, f"mean over tasks{found.of_layer}")
    notes = list(found.notes)
    shots = {task.num_fewshot for task in found.tasks}
    for line, over in ((found.regression, "wordings"), (found.task_regression, "tasks")):
        if line is not None and len(shots) == 1:
            rows += _regression(line, over + found.of_layer, source._replace(num_fewshot=min(shots)))
        elif line is not None:
            notes.append(f"the regression over {over} is over several numbers of demonstrations, and has no row")
    if found.regression_reason:
        notes.append(f"no regression on distance: {found.regression_reason}")
    return ResultTable(tuple(rows), tuple(notes))


def category_distances(found: RepresentationMap) -> list[TaskDistance]:
    """The means of categories with several tasks; a wording that serves several of the tasks counts once.

    Nothing for a category with one task, or with tasks at several numbers of demonstrations.
    """
    means = (_category(name, found) for name in dict.fromkeys(task.category for task in found.tasks))
    return [mean for mean in means if mean is not None]


def _category(name: str, found: RepresentationMap) -> TaskDistance | None:
    members = [task for task in found.tasks if task.category == name]
    if len(members) < 2 or len({task.num_fewshot for task in members}) > 1:
        return None
    before = [task.before for task in members if task.before is not None]
    degradation = [task.degradation for task in members if task.degradation is not None]
    return TaskDistance(
        name,
        name,
        members[0].num_fewshot,
        distance=fmean(task.distance for task in members),
        before=fmean(before) if len(before) == len(members) else None,
        degradation=fmean(degradation) if len(degradation) == len(members) else None,
        num_wordings=len({row.instruction for row in found.distances if row.category == name}),
        num_examples=sum(task.num_examples for task in members),
    )


def _rows(
    found: WordingDistance | TaskDistance, place: Place, source: RowSource, reference: str, n: int, method: str
) -> Iterator[ResultRow]:
    here = _at(source, found)
    for name, value in (("distance", found.distance), ("distance before", found.before)):
        if value is not None:
            yield finding_row(here, place, name, Finding(name, value, n, method), _DISTANCE_UNIT)
    if found.degradation is not None:
        name = f"difference from {reference}"
        finding = Finding(name, found.degradation, n, "difference of means")
        yield finding_row(here, place, name, finding, source.difference_unit())


def _regression(line: Regression, over: str, source: RowSource) -> Iterator[ResultRow]:
    unit, _ = source.difference_unit()
    method = f"least squares of differences on distances, over {over}"
    place = Place(Level.OVERALL)
    slope = Finding("slope", line.slope, line.n, method, line.slope_low, line.slope_high, line.p_value)
    # The regression is fitted in the metric's unit.
    yield finding_row(source, place, f"slope over {over}", slope, (f"{unit or source.metric.name} per l2", 1.0))
    explained = Finding("R²", line.r_squared, line.n, method)
    yield finding_row(source, place, f"R² over {over}", explained, ("", 1.0))


def _at(source: RowSource, found: WordingDistance | TaskDistance) -> RowSource:
    return source._replace(num_fewshot=found.num_fewshot)


def _num_examples(wording: WordingDistance, tasks: Sequence[TaskDistance]) -> int:
    key = (wording.task, wording.num_fewshot)
    return next((task.num_examples for task in tasks if (task.task, task.num_fewshot) == key), 0)
