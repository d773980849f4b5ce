"""The rows of the result table, from each kind of analysis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.aggregation import Level, by_level
from phraseproof.analysis.classification import answer_shares, balanced_accuracy, macro_f1
from phraseproof.analysis.results import WORDING, ResultRow, RowLevel
from phraseproof.core import Finding

if TYPE_CHECKING:
    from phraseproof.analysis.answers import TaskAnswers
    from phraseproof.analysis.estimators.task_estimates import GroupEstimate, TaskEstimate
    from phraseproof.analysis.robustness import MeanDifference, Summary
    from phraseproof.analysis.scaling import Scaling
    from phraseproof.analysis.statistics import Robustness
    from phraseproof.scoring.metric import Metric
    from phraseproof.store.queries import WordingScore

_METHOD = "unweighted mean of the level below"
_METHODS = {"mean": "mean over wordings", "std": "sample standard deviation over wordings"}
_DIMENSIONLESS = frozenset({"kappa"})
SHARES = frozenset({"flips", "pairwise_flips"})
"""Shares of examples or pairs: percent, whatever the metric is."""


class RowSource(NamedTuple):
    """What rows of one run have in common.

    Attributes:
        run: the folder.
        metric: what scores are in.
    """

    run: str
    num_fewshot: int
    scoring: str
    metric: Metric

    def unit(self, statistic: str) -> tuple[str, float]:
        """The unit of a statistic of scores, and the factor from stored values to it."""
        if statistic in _DIMENSIONLESS:
            return "", 1.0
        return ("%", 100.0) if statistic in SHARES else (self.metric.unit, self.metric.scale)

    def difference_unit(self) -> tuple[str, float]:
        """The unit of a difference of scores, and the factor from stored values to it."""
        return "points" if self.metric.unit == "%" else self.metric.unit, self.metric.scale


class Place(NamedTuple):
    """What one row is about."""

    level: RowLevel
    category: str = ""
    task: str = ""
    group: str = ""
    wording: str = ""


def wording_rows(scores: Sequence[WordingScore], source: RowSource) -> Iterator[ResultRow]:
    """A mean per wording and task, of a run whose every wording was scored on all examples, or was imported."""
    for score in scores:
        place = Place(WORDING, score.category, score.task, score.group, score.instruction)
        method = "published" if score.num_examples is None else "mean over examples"
        # The number of examples of an imported accuracy was not published.
        found = Finding("mean", score.mean_score, score.num_examples or 0, method)
        yield finding_row(source, place, "mean", found, source.unit("mean"))


def summary_rows(summary: Summary, source: RowSource) -> Iterator[ResultRow]:
    """Mean, standard deviation and difference of each group, per task, category and overall, without intervals."""
    for row in (*summary.tasks, *summary.categories, summary.overall):
        for group, found in row.groups.items():
            place = place_of(row.level, row.name, row.category, group)
            for name, value in (("mean", found.mean), ("std", found.std)):
                if value is not None:
                    method = _METHODS[name] if row.level is Level.TASK else _METHOD
                    finding = Finding(name, value, found.num_wordings, method)
                    yield finding_row(source, place, name, finding, source.unit(name))
            if group in row.differences:
                difference = row.differences[group]
                finding = Finding("difference", difference.value, difference.num_tasks, "difference of means")
                yield finding_row(source, place, _difference(summary.groups[0]), finding, source.difference_unit())


def baseline_rows(answers: Sequence[TaskAnswers], source: RowSource) -> Iterator[ResultRow]:
    """The scores of blind guessing and of the best constant answer, per task, category and overall, in percent."""
    found = [
        _Baseline(task.task, task.category, Level.TASK, task.chance, task.majority, task.classes[task.majority_class])
        for task in answers
    ]
    levels = by_level(found, category=lambda row: row.category, combine=_mean_baseline)
    for row in (*levels.tasks, *levels.categories, levels.overall):
        place = place_of(row.level, row.name, row.category, "")
        is_task = row.level is Level.TASK
        for name, value, method in (
            ("chance", row.chance, "mean share of right options"),
            ("majority", row.majority, f"best constant answer: {row.answer}"),
        ):
            count = sum(row.level is Level.OVERALL or row.category == task.category for task in answers)
            finding = Finding(name, value, 1 if is_task else count, method if is_task else _METHOD)
            yield finding_row(source, place, name, finding, ("%", 100.0))


def answer_rows(answers: Sequence[TaskAnswers], source: RowSource) -> Iterator[ResultRow]:
    """How the answers of each wording are spread over the classes of a task, in percent."""
    for task in answers:
        shares = answer_shares(task.confusion)
        counts = task.confusion.sum(axis=(1, 2))
        f1, balanced = macro_f1(task.confusion), balanced_accuracy(task.confusion)
        for row, (group, wording) in enumerate(zip(task.groups, task.wordings, strict=True)):
            place = Place(WORDING, task.category, task.task, group, wording)
            most = int(shares[row].argmax())
            found = [("most_chosen", float(shares[row, most]), f"share of the answer: {task.classes[most]}")]
            if not task.by_position:
                found.append(("macro_f1", float(f1[row]), "mean F1 of the classes"))
                found.append(("balanced_accuracy", float(balanced[row]), "mean recall of the classes"))
            for name, value, method in found:
                yield finding_row(source, place, name, Finding(name, value, int(counts[row]), method), ("%", 100.0))


class _Baseline(NamedTuple):
    name: str
    category: str
    level: Level
    chance: float
    majority: float
    answer: str = ""


def _mean_baseline(level: Level, name: str, below: Sequence[_Baseline]) -> _Baseline:
    category = name if level is Level.CATEGORY else ""
    chance, majority = fmean(row.chance for row in below), fmean(row.majority for row in below)
    return _Baseline(name, category, level, chance, majority)


def statistics_rows(found: Robustness, source: RowSource) -> Iterator[ResultRow]:
    """Every statistic of each group with its interval, and differences with intervals and p-values."""
    for row in (*found.tasks, *found.categories, found.overall):
        for group, statistics in row.groups.items():
            place = place_of(row.level, row.name, row.category, group)
            for name, finding in statistics.findings.items():
                yield finding_row(source, place, name, finding, source.unit(name))
            if group in row.differences:
                name = _difference(found.groups[0])
                yield finding_row(source, place, name, row.differences[group], source.difference_unit())


def estimate_rows(estimates: Sequence[TaskEstimate], source: RowSource, *, level: Level) -> Iterator[ResultRow]:
    """Estimates of a run with a budget: every number has the interval that its unseen cells leave.

    Args:
        level: `TASK` for tasks; `CATEGORY` for rows over tasks, of which that without a category is the overall row.
    """
    for task in estimates:
        of = level if level is Level.TASK or task.category else Level.OVERALL
        for group in task.groups:
            place = place_of(of, task.task, task.category, group.group)
            for name, finding in _estimates(group):
                yield finding_row(source, place, name, finding, source.unit(name))
            for wording in group.wordings:
                here = place._replace(level=WORDING, wording=wording.instruction)
                yield finding_row(source, here, "mean", wording.accuracy, source.unit("mean"))
        reference = task.groups[0].group
        for finding in task.differences:
            place = place_of(of, task.task, task.category, finding.name.removesuffix(f" minus {reference}"))
            yield finding_row(source, place, _difference(reference), finding, source.difference_unit())


def scaling_rows(found: Scaling, metric: Metric, scoring: str) -> Iterator[ResultRow]:
    """The gap of each task of each model, then the regression line, whose rows name no run, because it is of all."""
    for point in found.points:
        source = RowSource(point.run, point.num_fewshot, scoring, metric)
        method = f"difference of means; {point.model}, {point.parameters} parameters"
        finding = Finding("gap", point.gap, 0, method)
        yield finding_row(source, Place(Level.TASK, task=point.task), "gap", finding, source.difference_unit())
    source = RowSource("", min(point.num_fewshot for point in found.points), scoring, metric)
    at = "one parameter" if found.per_tenfold else "no parameter"
    intercept = Finding(f"gap at {at}", found.intercept, found.slope.n, found.slope.method)
    explained = Finding("r_squared", found.r_squared, found.slope.n, found.slope.method)
    for finding, unit in (
        (found.slope, source.difference_unit()),
        (intercept, source.difference_unit()),
        (explained, ("", 1.0)),
    ):
        yield finding_row(source, Place(Level.OVERALL), finding.name, finding, unit)


def comparison_rows(lines: Sequence[MeanDifference], source: RowSource) -> Iterator[ResultRow]:
    """Means before and after and their difference, per task, category and overall.

    Args:
        source: of the later run.
    """
    for line in lines:
        place = place_of(line.level, line.name, line.category, line.group)
        for name, value in (("mean before", line.before), ("mean after", line.after)):
            finding = Finding(
                name, value, line.finding.n, _METHOD if line.level is not Level.TASK else _METHODS["mean"]
            )
            yield finding_row(source, place, name, finding, source.unit("mean"))
        yield finding_row(source, place, "difference", line.finding, source.difference_unit())


def _estimates(group: GroupEstimate) -> Iterator[tuple[str, Finding]]:
    yield "mean", group.mean
    if group.std is not None:
        yield "std", group.std
    for percent, finding in group.quantiles.items():
        yield f"q{percent:02}", finding


def _difference(reference: str) -> str:
    return f"difference from {reference}"


def place_of(level: Level, name: str, category: str, group: str) -> Place:
    """The place of a task's, a category's or the overall row; the name of the overall row is not one of these."""
    if level is Level.TASK:
        return Place(level, category, name, group)
    return Place(level, name if level is Level.CATEGORY else "", "", group)


def finding_row(source: RowSource, place: Place, statistic: str, found: Finding, unit: tuple[str, float]) -> ResultRow:
    """One row.

    Args:
        statistic: the name of what was estimated.
        found: values as they are stored.
        unit: its name, and the factor from stored values to it.
    """
    name, scale = unit
    return ResultRow(
        run=source.run,
        num_fewshot=source.num_fewshot,
        scoring=source.scoring,
        **place._asdict(),
        statistic=statistic,
        estimate=scale * found.estimate,
        low=scaled(found.low, scale),
        high=scaled(found.high, scale),
        p_value=found.p_value,
        n=found.n or None,
        method=found.method,
        unit=name,
    )


def scaled(value: float | None, scale: float) -> float | None:
    """A value in a unit, by the factor from stored values to it; `None` stays, where there is no value."""
    return None if value is None else scale * value
