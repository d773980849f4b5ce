"""Every statistic of every group of wordings, per task, category and overall, with intervals.

Means, Stds and differences equal those of `robustness.summarize` up to rounding; here they have intervals.
docs/statistics.md describes how each interval is computed, and how often it covers the true value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from phraseproof.analysis.aggregation import Level, by_level, paper_weights
from phraseproof.analysis.estimators.agreement import Agreement, agreement
from phraseproof.analysis.estimators.crossed import Term, crossed_mean, draw_samples, sample_rows
from phraseproof.analysis.estimators.measures import MIN_WORDINGS_FOR_A_TAIL, STATISTICS, Measured, compute, measure
from phraseproof.analysis.estimators.resampling import RESAMPLES, Resampler
from phraseproof.analysis.grids import TaskGrid
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError, UsageError

__all__ = ["STATISTICS", "GroupStatistics", "Robustness", "StatisticsRow", "robustness"]


@dataclass(frozen=True, slots=True)
class GroupStatistics:
    """One group of wordings in one row.

    Attributes:
        findings: by the names in `STATISTICS`, those that there is enough data for.
        why_not: for the others, why there is not.
    """

    findings: Mapping[str, Finding]
    why_not: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StatisticsRow:
    """A task, a category or everything.

    Attributes:
        groups: by group; a group without a wording here is absent.
        differences: by group, for the groups after the first: its mean minus the first group's, over the tasks that
            have both, with an interval and a p-value.
        why_not: for a group without a difference, why.
    """

    level: Level
    name: str
    category: str
    groups: Mapping[str, GroupStatistics]
    differences: Mapping[str, Finding]
    why_not: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Robustness:
    """One model at one number of demonstrations.

    Attributes:
        groups: the groups' names; the first is the reference of all differences.
        notes: what a reader must know to interpret the numbers.
    """

    num_fewshot: int
    groups: tuple[str, ...]
    tasks: tuple[StatisticsRow, ...]
    categories: tuple[StatisticsRow, ...]
    overall: StatisticsRow
    notes: tuple[str, ...]


def robustness(
    grids: Sequence[TaskGrid], *, group_order: Sequence[str] = (), seed: int = 0, resamples: int = RESAMPLES
) -> tuple[Robustness, ...]:
    """Every statistic of every group of wordings.

    Args:
        grids: as `grids.load_grids` gives them.
        group_order: groups to put first; the first of all is what the others are compared with.
        seed: of the resampling; the same grids and seed give the same intervals.
        resamples: how many.

    Returns:
        One for each number of demonstrations, ascending.

    Raises:
        NotEnoughDataError: there are no grids.
        UsageError: `group_order` names a group that is not there, or one twice.
    """
    if not grids:
        raise NotEnoughDataError("there are no scores to analyse", hint="Run `phraseproof evaluate` first")
    names = _order(grids, group_order)
    return tuple(
        _at([grid for grid in grids if grid.num_fewshot == shots], names, Resampler(seed, resamples))
        for shots in sorted({grid.num_fewshot for grid in grids})
    )


def _order(grids: Sequence[TaskGrid], group_order: Sequence[str]) -> tuple[str, ...]:
    present = tuple(dict.fromkeys(group for grid in grids for group in grid.groups))
    for position, name in enumerate(group_order):
        if name not in present:
            raise UsageError(f"no group of wordings is called {name!r}", expected=f"one of: {', '.join(present)}")
        if name in group_order[:position]:
            raise UsageError(f"the group {name!r} is named twice")
    return (*group_order, *(name for name in present if name not in group_order))


def _at(grids: Sequence[TaskGrid], names: Sequence[str], resampler: Resampler) -> Robustness:
    groups = tuple(name for name in names if any(name in grid.groups for grid in grids))
    measured: list[tuple[TaskGrid, Mapping[str, Measured]]] = []
    for grid in grids:
        samples = draw_samples(grid, resampler)
        of_groups = {group: measure(sample, _agreement(grid, group)) for group, sample in samples.items()}
        measured.append((grid, of_groups))

    def above(level: Level, name: str, below: Sequence[StatisticsRow]) -> StatisticsRow:
        parts = [parts for grid, parts in measured if level is Level.OVERALL or grid.category == name]
        return _row_above(level, name, "" if level is Level.OVERALL else name, below, parts, groups)

    rows = [_row(Level.TASK, grid.task, grid.category, [parts], groups) for grid, parts in measured]
    tasks, categories, overall = by_level(rows, category=lambda row: row.category, combine=above)
    return Robustness(grids[0].num_fewshot, groups, tasks, categories, overall, tuple(_notes(grids, groups)))


def _agreement(grid: TaskGrid, group: str) -> Agreement | None:
    if grid.answers is None:
        return None
    try:
        return agreement(grid.answers[sample_rows(grid, group)], len(grid.examples))
    except NotEnoughDataError:
        return None


def _row(
    level: Level, name: str, category: str, tasks: Sequence[Mapping[str, Measured]], groups: Sequence[str]
) -> StatisticsRow:
    found = {group: _group(parts) for group in groups if (parts := [task[group] for task in tasks if group in task])}
    differences: dict[str, Finding] = {}
    why_not: dict[str, str] = {}
    reference = groups[0]
    for group in groups[1:]:
        shared = [task for task in tasks if reference in task and group in task]
        if not shared:
            why_not[group] = f"no task has wordings of both {group} and {reference}"
            continue
        weights = paper_weights([task[group].sample.grid.category for task in shared])
        terms = [
            Term(task[side].sample, sign * weight)
            for task, weight in zip(shared, weights, strict=True)
            for side, sign in ((group, 1.0), (reference, -1.0))
        ]
        differences[group] = crossed_mean(terms, name=f"{group} minus {reference}", is_difference=True)
    return StatisticsRow(level, name, category, found, differences, why_not)


def _row_above(
    level: Level,
    name: str,
    category: str,
    below: Sequence[StatisticsRow],
    tasks: Sequence[Mapping[str, Measured]],
    groups: Sequence[str],
) -> StatisticsRow:
    """A row over several rows; over a single one it is that row, under another name."""
    if len(below) == 1:
        return replace(below[0], level=level, name=name, category=category)
    return _row(level, name, category, tasks, groups)


def _group(parts: Sequence[Measured]) -> GroupStatistics:
    findings: dict[str, Finding] = {}
    why_not: dict[str, str] = {}
    for name in STATISTICS:
        try:
            findings[name] = compute(name, parts)
        except NotEnoughDataError as error:
            why_not[name] = str(error)
    return GroupStatistics(findings, why_not)


def _notes(grids: Sequence[TaskGrid], groups: Sequence[str]) -> list[str]:
    notes = [note for grid in grids for note in grid.notes]
    if any(grid.table is None for grid in grids):
        notes.append("Only accuracies of wordings are known: intervals are over wordings only, not over examples.")
    fewest = {group: min(len(grid.rows(group)) for grid in grids if group in grid.groups) for group in groups}
    single = [group for group, count in fewest.items() if count == 1]
    if single:
        notes.append(f"Only one wording on a task ({', '.join(single)}): intervals and tests do not cover its choice.")
    few = [f"{group} {count}" for group, count in fewest.items() if 1 < count < MIN_WORDINGS_FOR_A_TAIL]
    if few:
        notes.append(
            f"Not enough wordings for intervals of the 5% and 95% quantiles: they take {MIN_WORDINGS_FOR_A_TAIL} on"
            f" every task, and the fewest are {', '.join(few)}."
        )
    return notes
