"""The rows of the result table, from each kind of analysis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.results import WORDING, ResultRow, RowLevel
from phraseproof.core import Finding

if TYPE_CHECKING:
    from phraseproof.analysis.estimators.budget import GroupEstimate, TaskEstimate
    from phraseproof.analysis.robustness import MeanDifference, Summary
    from phraseproof.analysis.statistics import Robustness
    from phraseproof.scoring.metric import Metric
    from phraseproof.store.queries import WordingScore

_METHOD = "unweighted mean of the level below"
_METHODS = {"mean": "mean over wordings", "std": "sample standard deviation over wordings"}
_DIMENSIONLESS = frozenset({"kappa"})
_SHARES = frozenset({"flips", "pairwise_flips"})
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
        return ("%", 100.0) if statistic in _SHARES else (self.metric.unit, self.metric.scale)

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
        # An imported accuracy rests on a number of examples that was not published.
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
        source.run,
        source.num_fewshot,
        source.scoring,
        *place,
        statistic,
        scale * found.estimate,
        None if found.low is None else scale * found.low,
        None if found.high is None else scale * found.high,
        found.p_value,
        found.n or None,
        found.method,
        name,
    )
