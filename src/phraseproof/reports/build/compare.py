"""Two runs side by side: what improved, what got worse, and whether that is beyond chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.aggregation import Level, by_level
from phraseproof.analysis.grids import metric_of
from phraseproof.analysis.readings import require_one_reading, shared_metric
from phraseproof.analysis.robustness import BALANCED, MeanDifference
from phraseproof.analysis.significance.paired_t import paired_t_test
from phraseproof.evaluation.half_precision import half_precision
from phraseproof.reports.build.answers import answer_lines, answers_of, at_shots, constant_line
from phraseproof.reports.build.numbers import difference_in_unit, difference_with_unit, short_method, value_with_unit
from phraseproof.reports.build.readings import labelled_reading_lines
from phraseproof.reports.build.runs import half_precision_notes, model_name
from phraseproof.reports.build.settings import SettingDifference, differing_settings, setting_line
from phraseproof.reports.build.text import printable
from phraseproof.scoring.metric import Metric

if TYPE_CHECKING:
    from phraseproof.analysis.answers import TaskAnswers
    from phraseproof.analysis.paired import ComparisonRow, RunComparison, WordingComparison
    from phraseproof.core import Finding
    from phraseproof.evaluation.half_precision import HalfPrecision
    from phraseproof.store.queries import Run

SIGNIFICANT = 0.05


class Side(NamedTuple):
    """One of the two runs.

    Attributes:
        path, model: as the run is named in what is shown.
        half_precision: `None` in float32.
        metric: what scores are in.
        scoring: the scorer that chose the answers.
        share: the share of the grid that was scored; below 1, means are estimates.
        settings: what the numbers depend on, as a line; empty where it is not known.
        answers: which answers were chosen, by task and number of demonstrations.
    """

    path: str
    model: str
    half_precision: HalfPrecision | None = None
    metric: Metric = field(kw_only=True)
    scoring: str = "loglikelihood"
    share: float = 1.0
    settings: str = ""
    answers: tuple[TaskAnswers, ...] = ()

    @classmethod
    def of(cls, run: Run) -> Side:
        """For an open run."""
        return cls(
            run.name,
            model_name(run),
            half_precision(run),
            metric_of(run),
            run.scoring,
            run.share,
            setting_line(run),
            answers_of(run),
        )


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """Two runs at one number of demonstrations.

    Attributes:
        lines: categories above their tasks, everything last; then, where there are several groups, each group overall,
            and the mean of the groups.
        better, worse: the wordings whose difference is beyond chance after Holm's correction, the largest first.
        wordings: all wordings that both hold, in the runs' order.
        notes: what a reader must know to interpret the numbers.
        sentences: the conclusions, the most important first.
        differing: the settings and versions in which the runs differ.
        over_tasks: paired t-tests over tasks, named by the group: each group, the mean of the groups, or all wordings
            of a single group. Empty with fewer than two tasks, and for estimates.
    """

    before: Side
    after: Side
    num_fewshot: int
    lines: tuple[MeanDifference, ...]
    better: tuple[WordingComparison, ...]
    worse: tuple[WordingComparison, ...]
    wordings: tuple[WordingComparison, ...]
    notes: tuple[str, ...]
    sentences: tuple[str, ...]
    differing: tuple[SettingDifference, ...] = ()
    over_tasks: tuple[Finding, ...] = ()

    def compared(self, side: Side) -> tuple[TaskAnswers, ...]:
        """The answers of one run on the tasks, and under the wordings, that are compared."""
        tasks = {line.name for line in self.lines if line.level is Level.TASK and not line.group}
        wordings = {(each.task, each.group, each.instruction) for each in self.wordings}
        here = [task for task in at_shots(side.answers, self.num_fewshot) if task.task in tasks]
        if not wordings:
            return tuple(here)
        return tuple(
            task.take(
                [
                    row
                    for row, of in enumerate(zip(task.groups, task.wordings, strict=True))
                    if (task.task, *of) in wordings
                ]
            )
            for task in here
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """The lines of `answers` about constant answers."""
        found = {constant_line(self.compared(side)) for side in (self.before, self.after)} - {""}
        return tuple(line for line in self.answers if line.removeprefix("before: ").removeprefix("after: ") in found)

    @property
    def answers(self) -> tuple[str, ...]:
        """What the answers of both runs show without their accuracy, the most important first."""
        before, after = (answer_lines(self.compared(side), side.metric) for side in (self.before, self.after))
        return (
            *(f"before: {line}" for line in before if line not in after),
            *(f"after: {line}" for line in after if line not in before),
            *(line for line in before if line in after),
        )

    @property
    def over_tasks_line(self) -> str:
        """The paired t-tests over tasks in one line; empty where there are none."""
        if not self.over_tasks:
            return ""
        counts = {each.n for each in self.over_tasks}
        shared = f" over {min(counts)} tasks" if len(counts) == 1 else ""
        found = "; ".join(
            f"{each.name}{'' if shared else f' over {each.n} tasks'} {difference_words(each, self.metric)}"
            for each in self.over_tasks
        )
        return f"Paired t-test{shared}: {found}."

    @property
    def settings_line(self) -> str:
        """`no setting differs`, or how many settings do and which."""
        if not self.differing:
            return "No setting or version differs."
        return f"Settings that differ: {'; '.join(each.line for each in self.differing)}."

    @property
    def metric(self) -> Metric:
        """What the scores of both runs are in."""
        return self.after.metric

    @property
    def top(self) -> MeanDifference:
        """All that was compared, in one line."""
        return next(line for line in reversed(self.lines) if not line.group)


def compare(before: Run, after: Run) -> list[ComparisonReport]:
    """One comparison for each number of demonstrations that both runs have.

    If a run has a budget, its estimates are compared; they are about these wordings and questions, scored or not.

    Raises:
        NotEnoughDataError: the runs have no wording in common on any task.
        RunError: a run without finished cells, or damaged.
        UsageError: the runs are in different metrics.
    """
    require_one_reading([before, after])
    shared_metric([before, after])
    sides = Side.of(before), Side.of(after)
    notes = [
        *labelled_reading_lines([before, after]),
        *half_precision_notes({side.path: side.half_precision for side in sides}),
    ]
    differing = differing_settings(before, after)
    if min(side.share for side in sides) < 1:
        return [replace(found, differing=differing) for found in _of_estimates(before, after, sides, notes)]
    from phraseproof.analysis.grids import load_grids
    from phraseproof.analysis.paired import compare_runs

    return [
        replace(_comparison(*sides, found, notes), differing=differing)
        for found in compare_runs(load_grids(before), load_grids(after))
    ]


def _of_estimates(before: Run, after: Run, sides: tuple[Side, Side], notes: Sequence[str]) -> list[ComparisonReport]:
    from phraseproof.analysis.estimated_differences import estimated_differences
    from phraseproof.analysis.estimators.budget import estimate_run

    # Seeds that differ, so that draws of the two runs are independent.
    found = estimated_differences(estimate_run(before, seed=0), estimate_run(after, seed=1))
    shares = " and ".join(f"{100 * side.share:.3g}%" for side in sides)
    note = (
        f"estimated from {shares} of the grid: intervals cover the cells that were not scored, not other wordings or "
        "questions, so they are narrower than those of whole runs; single wordings are not tested"
    )
    comparisons: list[ComparisonReport] = []
    for shots, rows in found.items():
        lines = tuple(rows)
        comparisons.append(
            ComparisonReport(
                *sides, shots, lines, (), (), (), (note, *notes), (_first_sentence(lines, sides[1].metric),)
            )
        )
    return comparisons


def _comparison(before: Side, after: Side, found: RunComparison, notes: Sequence[str]) -> ComparisonReport:
    lines: list[MeanDifference] = []
    lone = len(found.tasks) == 1
    for category in found.categories:
        below = [task for task in found.tasks if task.category == category.name]
        lines += [*([] if lone else [_line(category, found)]), *(_line(task, found) for task in below)]
    if not lone:
        lines.append(_line(found.overall, found))
    if len(found.groups) > 1:
        top = found.tasks[0] if lone else found.overall
        lines += [_line(top, found, group) for group in found.groups if group in top.groups]
        lines.append(_line(top, found, BALANCED))
    changed = [
        each
        for each in found.wordings
        if each.finding is not None and each.p_holm is not None and each.p_holm < SIGNIFICANT
    ]
    ordered = sorted(changed, key=lambda each: -abs(each.after - each.before))
    up = tuple(each for each in ordered if each.after > each.before)
    down = tuple(each for each in ordered if each.after < each.before)
    better, worse = (up, down) if after.metric.higher_is_better else (down, up)
    return ComparisonReport(
        before,
        after,
        found.num_fewshot,
        tuple(lines),
        better,
        worse,
        found.wordings,
        (*found.notes, *notes),
        tuple(_sentences(lines, found, len(better), len(worse), after.metric)),
        over_tasks=tuple(_over_tasks(found, after.metric)),
    )


def _line(row: ComparisonRow, found: RunComparison, group: str = "") -> MeanDifference:
    finding = row.balanced if group == BALANCED else row.groups[group] if group else row.all
    earlier, later = _means(row, found, group)
    return MeanDifference(row.level, row.name, row.category, group, earlier, later, finding)


def _over_tasks(found: RunComparison, metric: Metric) -> Iterator[Finding]:
    """The test of each group, and of their mean, over the tasks that both runs hold with it."""
    for group in (*found.groups, BALANCED) if len(found.groups) > 1 else found.groups:
        named = set(found.groups) if group == BALANCED else {group}
        tasks = [task for task in found.tasks if named <= set(task.groups)]
        if len(tasks) > 1:
            before, after = zip(*(_means(task, found, group) for task in tasks), strict=True)
            yield paired_t_test(before, after, name=group, width=metric.width)


def _means(row: ComparisonRow, found: RunComparison, group: str) -> tuple[float, float]:
    """The means before and after, of one group, of all groups equally (`BALANCED`), or of all wordings (empty)."""
    groups = [name for name in found.groups if name in row.groups] if group == BALANCED else [group]
    before, after = (fmean(_mean(row, found.wordings, name, side) for name in groups) for side in ("before", "after"))
    return before, after


class _Mean(NamedTuple):
    """A mean score before or after, of a task, a category or everything."""

    name: str
    category: str
    value: float


def _mean(row: ComparisonRow, wordings: Sequence[WordingComparison], group: str, side: str) -> float:
    """Over wordings, then tasks, then categories: as `analysis.robustness` does."""
    by_task: dict[tuple[str, str], list[float]] = {}
    for each in wordings:
        if not group or each.group == group:
            by_task.setdefault((each.category, each.task), []).append(getattr(each, side))
    levels = by_level(
        [_Mean(task, category, fmean(values)) for (category, task), values in by_task.items()],
        category=lambda mean: mean.category,
        combine=lambda _, name, below: _Mean(name, name, fmean(mean.value for mean in below)),
    )
    if row.level is Level.OVERALL:
        return levels.overall.value
    of_level = levels.tasks if row.level is Level.TASK else levels.categories
    return next(mean.value for mean in of_level if (mean.name, mean.category) == (row.name, row.category))


def _sentences(
    lines: Sequence[MeanDifference], found: RunComparison, better: int, worse: int, metric: Metric
) -> list[str]:
    tested = sum(each.p_holm is not None for each in found.wordings)
    sentences = [_first_sentence(lines, metric)]
    if tested:
        sentences.append(
            f"Of {tested} wordings, counted on each task, {better} got better and {worse} worse beyond chance "
            f"(McNemar's test, p after Holm's correction below {SIGNIFICANT:g})."
        )
    return sentences


def _first_sentence(lines: Sequence[MeanDifference], metric: Metric) -> str:
    top = next(line for line in reversed(lines) if not line.group)
    place = "" if top.level is Level.OVERALL else f"On {printable(top.name)}: "
    means = f"{value_with_unit(top.before, metric)} before, {value_with_unit(top.after, metric)} after"
    words = f"{difference_words(top.finding, metric)} ({short_method(top.finding)})"
    return f"{direction_words(top.finding, metric)} {place}{means}: {words}."


def direction_words(finding: Finding, metric: Metric) -> str:
    """`Better.`, `Worse.` or `No difference shown.`, by whether the interval leaves out zero."""
    if finding.low is not None and finding.low > 0:
        return "Better." if metric.higher_is_better else "Worse."
    if finding.high is not None and finding.high < 0:
        return "Worse." if metric.higher_is_better else "Better."
    return "No difference shown."


def difference_words(finding: Finding, metric: Metric) -> str:
    """`+1.2 points, 95% interval -0.3 to +2.7, p = 0.120`."""
    parts = [f"{difference_with_unit(finding.estimate, metric)}"]
    if finding.low is not None and finding.high is not None:
        parts.append(
            f"95% interval {difference_in_unit(finding.low, metric)} to {difference_in_unit(finding.high, metric)}"
        )
    if finding.p_value is not None:
        parts.append("p < 0.001" if finding.p_value < 0.001 else f"p = {finding.p_value:.3f}")
    return ", ".join(parts)
