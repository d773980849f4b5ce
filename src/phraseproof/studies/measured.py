"""What studies read from a run: means, Stds, differences and intervals of groups of wordings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.grids import load_grids
from phraseproof.analysis.result_rows import Place, RowSource, finding_row, place_of
from phraseproof.analysis.robustness import GroupSummary, Row, Summary
from phraseproof.analysis.statistics import GroupStatistics, Robustness, StatisticsRow, robustness
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError
from phraseproof.reports.build.numbers import difference_in_unit, p_value, value_in_unit
from phraseproof.reports.build.run_tables import TaskTable, task_tables
from phraseproof.reports.build.runs import model_name, run_scores
from phraseproof.reports.build.text import short_model_name
from phraseproof.store.queries import load_run

if TYPE_CHECKING:
    from phraseproof.analysis.results import ResultRow
    from phraseproof.scoring.metric import Metric
    from phraseproof.store.queries import Run
    from phraseproof.studies.study import Step


@dataclass(frozen=True)
class MeasuredGroups:
    """Some groups of wordings of one run.

    Attributes:
        run: the run.
        table: means and Stds, and the paired t-test over tasks.
        statistics: the same with intervals over wordings and examples.
    """

    run: Run
    table: TaskTable
    statistics: Robustness

    @property
    def model(self) -> str:
        """The model as the user named it."""
        return model_name(self.run)

    @property
    def summary(self) -> Summary:
        """Means and Stds."""
        return self.table.summary

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups, the reference first."""
        return self.summary.groups

    @property
    def metric(self) -> Metric:
        """What the scores are in."""
        return self.table.run.metric

    @property
    def source(self) -> RowSource:
        """What the rows of the run have in common."""
        return RowSource(str(self.run.path), self.table.num_fewshot, self.table.run.scoring, self.metric)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know to interpret the numbers."""
        basis = self.table.run.basis
        return (*([basis] if basis else []), *self.table.notes)

    def rows(self) -> Iterator[tuple[Row, StatisticsRow]]:
        """Tasks, categories and the overall row, each without and with intervals."""
        found, measured = self.summary, self.statistics
        by_name = {(row.level, row.name): row for row in (*measured.tasks, *measured.categories, measured.overall)}
        for row in (*found.tasks, *found.categories, found.overall):
            yield row, by_name[row.level, row.name]

    def result_rows(self) -> Iterator[ResultRow]:
        """Mean and Std of each group and the difference from the first, with intervals, as rows of a result table."""
        for row, measured in self.rows():
            for group, found in row.groups.items():
                place = place_of(row.level, row.name, row.category, group)
                statistics = measured.groups[group].findings
                for name, value in (("mean", found.mean), ("std", found.std)):
                    if value is not None:
                        plain = Finding(name, value, found.num_wordings, "as the paper averages; no interval")
                        yield finding_row(self.source, place, name, statistics.get(name, plain), self.source.unit(name))
                if group in measured.differences:
                    name = f"difference from {self.groups[0]}"
                    yield finding_row(
                        self.source, place, name, measured.differences[group], self.source.difference_unit()
                    )
        for compared in self.table.comparisons:
            if compared.finding is not None:
                name = f"difference from {compared.reference} over tasks"
                place = Place(Level.OVERALL, group=compared.group)
                yield finding_row(self.source, place, name, compared.finding, self.source.difference_unit())


def measure(
    run: Run,
    groups: Sequence[str],
    *,
    num_fewshot: int = 0,
    categories: Mapping[str, str] | None = None,
    seed: int = 0,
) -> MeasuredGroups:
    """Read some groups of wordings of a run.

    Args:
        groups: the reference first.
        num_fewshot: which number of demonstrations is read.
        categories: another category for some tasks, by name.
        seed: of the resampling.

    Raises:
        NotEnoughDataError: the run lacks a group, or holds nothing at this number of demonstrations.
        RunError: no cell is done, or one is damaged.
    """
    scores = run_scores(run)
    moved = categories or {}
    kept = [
        score._replace(category=moved.get(score.task, score.category))
        for score in scores.scores
        if score.group in groups and score.num_fewshot == num_fewshot
    ]
    lacking = [group for group in groups if all(score.group != group for score in kept)]
    if lacking:
        raise NotEnoughDataError(
            f"the run has no wording of the group {lacking[0]!r} with {num_fewshot} demonstrations",
            expected=", ".join(groups),
            got=", ".join(dict.fromkeys(score.group for score in scores.scores)),
            where=run.name,
        )
    named = {score.task for score in kept}
    answers = [each for each in scores.answers if each.task in named and each.num_fewshot == num_fewshot]
    (table,) = task_tables([replace(scores, scores=kept, answers=answers, groups=tuple(groups))], groups)
    grids = [
        replace(grid, category=moved.get(grid.task, grid.category))
        for grid in load_grids(run)
        if grid.num_fewshot == num_fewshot and grid.task in named
    ]
    some = [grid.take([place for place, group in enumerate(grid.groups) if group in groups]) for grid in grids]
    (statistics,) = robustness(some, group_order=groups, seed=seed)
    return MeasuredGroups(run, table, statistics)


def average_of_groups(found: MeasuredGroups, name: str) -> tuple[float | None, float | None]:
    """The mean of the two groups' means, and of their Stds, in the row of a category or overall.

    Nothing where a group lacks.
    """
    row = next(row for row, _ in found.rows() if row.level is not Level.TASK and row.name == name)
    both = [row.groups[group] for group in found.groups if group in row.groups]
    if len(both) < 2:
        return None, None
    stds = [each.std for each in both if each.std is not None]
    return fmean(each.mean for each in both), fmean(stds) if len(stds) == 2 else None


def two_groups(run: Run) -> tuple[str, str]:
    """The groups `observed` and `unobserved`, or the first two of a run that has other names.

    Raises:
        NotEnoughDataError: the run has one group.
    """
    names = run.groups
    if {"observed", "unobserved"} <= set(names):
        return "observed", "unobserved"
    if len(names) < 2:
        raise NotEnoughDataError("the study compares two groups of wordings", got=", ".join(names), where=run.name)
    return names[0], names[1]


def open_steps(steps: Sequence[Step]) -> list[Run]:
    """The runs of steps, in order."""
    return [load_run(step.folder) for step in steps]


def value_cell(found: GroupSummary | None, measured: Finding | None, metric: Metric) -> str:
    """`48.1 ± 0.3`, and below it the interval of the mean; empty where there is nothing."""
    if found is None:
        return ""
    std = "" if found.std is None else f" ± {value_in_unit(found.std, metric)}"
    return with_interval(value_in_unit(found.mean, metric) + std, measured, metric)


def difference_cell(found: Finding | None, metric: Metric) -> str:
    """`-3.1`, and below it the interval."""
    return "" if found is None else with_interval(difference_in_unit(found.estimate, metric), found, metric, sign=True)


def mean_finding(statistics: GroupStatistics | None) -> Finding | None:
    """The mean of a group with its interval, where there is one."""
    return None if statistics is None else statistics.findings.get("mean")


def estimate_text(found: Finding, metric: Metric, over: str) -> str:
    """A difference as `-3.4 (95% interval -6.4 to -0.5, p = 0.023, OVER)`."""
    parts: list[str] = []
    if found.low is not None and found.high is not None:
        low, high = difference_in_unit(found.low, metric), difference_in_unit(found.high, metric)
        parts.append(f"95% interval {low} to {high}")
    if found.p_value is not None:
        parts.append(p_value(found.p_value))
    return f"{difference_in_unit(found.estimate, metric)} ({', '.join((*parts, over))})"


def with_interval(shown: str, found: Finding | None, metric: Metric, *, sign: bool = False) -> str:
    """A value, and below it the interval where there is one."""
    if found is None or found.low is None or found.high is None:
        return shown
    written = difference_in_unit if sign else value_in_unit
    low, high = written(found.low, metric), written(found.high, metric)
    return f"{shown}\n[{low}, {high}]"


def measured_notes(measured: Sequence[MeasuredGroups]) -> list[str]:
    """How far the study is the paper's (examples per task, tasks and wordings), and the notes of the runs."""
    notes: list[str] = []
    for found in measured:
        if found.run.accuracies:
            continue
        limit, seed = (found.run.settings.get(name) for name in ("limit", "seed"))
        tasks = len(found.summary.tasks)
        examples = "all examples" if limit is None else f"at most {limit} examples per task, drawn by seed {seed}"
        counts = ", ".join(f"{found.summary.overall.groups[group].num_wordings} of {group}" for group in found.groups)
        names = f"{tasks} tasks" if tasks > 1 else found.summary.tasks[0].name
        notes.append(f"{found.model}: {names}, {examples}; wordings: {counts}; {found.table.run.settings}")
    return [*notes, *_with_names(measured)]


def _with_names(measured: Sequence[MeasuredGroups]) -> Iterator[str]:
    """The notes of the runs, each once; one that is not of all of them names those that it is of."""
    several_models = len({found.model for found in measured}) > 1
    several_shots = len({found.table.num_fewshot for found in measured}) > 1

    def name(found: MeasuredGroups) -> str:
        model = [short_model_name(found.model)] if several_models else []
        shots = [f"{found.table.num_fewshot}-shot"] if several_shots else []
        return " ".join([*model, *shots]) or found.run.path.name

    for note in dict.fromkeys(note for found in measured for note in found.notes):
        holders = [name(found) for found in measured if note in found.notes]
        yield note if len(holders) == len(measured) else f"{', '.join(holders)}: {note}"
