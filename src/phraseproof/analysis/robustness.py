"""Mean and spread of each group of wordings: the numbers of Table 3.

Scores are fractions, as stored; reports show percent. Sums and standard deviations are exactly rounded (`statistics`),
so the order of the scores does not change a digit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.aggregation import Level, by_level
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError, RunError, UsageError

if TYPE_CHECKING:
    from phraseproof.store.queries import WordingScore

_NAMES_IN_A_NOTE = 5


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """One group of wordings in one row.

    Attributes:
        mean: of a task, the mean over its wordings; of a category, the mean of its tasks' means; overall, the mean of
            the categories' means.
        std: of a task, the sample standard deviation (n - 1) over its wordings; above that the mean of the Stds below.
            `None` where no task has two wordings: there is not enough data for one.
        num_wordings: the number of different wordings.
        num_tasks: the number of tasks behind the row.
    """

    mean: float
    std: float | None
    num_wordings: int
    num_tasks: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A group's mean minus the reference group's (the first), over the tasks that have both.

    Attributes:
        value: the group's mean minus the reference group's; negative where the group does worse.
        num_tasks: the number of tasks that have both groups.
    """

    value: float
    num_tasks: int


BALANCED = "mean of groups"
"""The group of a row in which each group of wordings counts equally: the paper's (observed + unobserved) / 2."""


class MeanDifference(NamedTuple):
    """A row of a comparison of two runs.

    Attributes:
        category: of the task; a category's own name; empty overall.
        group: empty for all wordings together, `BALANCED` for the mean of all groups.
        before, after: mean scores over what both runs hold, fractions; category and overall means as in `table`.
            Estimated ones where a run has a budget.
        finding: after minus before.
    """

    level: Level
    name: str
    category: str
    group: str
    before: float
    after: float
    finding: Finding


@dataclass(frozen=True, slots=True)
class Row:
    """A task, a category or everything.

    Attributes:
        name: the task's or category's name; `Overall` for the last row.
        category: the category a task is averaged into, a category's own name, or empty overall.
        groups: by group; a group without a wording here is absent.
        differences: by group, for the groups after the first; absent where no task has both.
    """

    level: Level
    name: str
    category: str
    groups: Mapping[str, GroupSummary]
    differences: Mapping[str, Difference]


@dataclass(frozen=True, slots=True)
class Summary:
    """The robustness of one model at one number of demonstrations (paper, section 4.2, Table 3).

    Attributes:
        groups: the groups' names; the first is the reference of all differences.
        tasks, categories: in the order in which the scores brought them.
        notes: what a reader must know to interpret the numbers (missing groups, single wordings, ...).
    """

    num_fewshot: int
    groups: tuple[str, ...]
    tasks: tuple[Row, ...]
    categories: tuple[Row, ...]
    overall: Row
    notes: tuple[str, ...]


def summarize(scores: Sequence[WordingScore], *, group_order: Sequence[str] = ()) -> tuple[Summary, ...]:
    """Aggregate wordings into tasks, tasks into categories, categories into one number, for each group of wordings.

    Follows the paper (section 4.2): a task's Std is over wordings, a category's is the mean of its tasks' Stds, and
    the overall numbers weigh categories equally. Where the paper is silent: a group's own numbers are over
    the tasks it has, while differences use tasks that have both groups (a category's is the mean over those
    tasks, the overall one the mean over categories with such tasks), so a difference may not equal the difference of
    two means next to it, and a note reports this. Stds skip tasks with a single wording, and a note says that too.

    Args:
        scores: any order; tasks, categories and groups keep the order in which they first appear.
        group_order: groups to put first, in this order. The first group is the reference of the differences.

    Returns:
        One summary for each number of demonstrations, ascending.

    Raises:
        NotEnoughDataError: there are no scores.
        RunError: a wording is scored twice, a task has two categories, or a score is not a finite number.
        UsageError: `group_order` names a group that is not there, or one twice.
    """
    if not scores:
        raise NotEnoughDataError("there are no scores to summarise", hint="Run `phraseproof evaluate` first")
    check_scores(scores)
    names = order_groups(scores, group_order)
    return tuple(
        _summary(shots, [score for score in scores if score.num_fewshot == shots], names)
        for shots in sorted({score.num_fewshot for score in scores})
    )


def order_groups(scores: Iterable[WordingScore], group_order: Sequence[str] = ()) -> tuple[str, ...]:
    """The groups of `scores`: those of `group_order` first, the others as they appear.

    Raises:
        UsageError: `group_order` names a group that is not there, or one twice.
    """
    present = tuple(dict.fromkeys(score.group for score in scores))
    for position, name in enumerate(group_order):
        if name not in present:
            raise UsageError(f"no group of wordings is called {name!r}", expected=f"one of: {', '.join(present)}")
        if name in group_order[:position]:
            raise UsageError(f"the group {name!r} is named twice")
    return (*group_order, *(name for name in present if name not in group_order))


def check_scores(scores: Iterable[WordingScore]) -> None:
    """Refuse scores that cannot be aggregated.

    Raises:
        RunError: a wording is scored twice, a task has two categories, or a score is not a finite number.
    """
    seen: set[tuple[str, str, str, int]] = set()
    category_of: dict[str, str] = {}
    for score in scores:
        key = (score.task, score.group, score.instruction, score.num_fewshot)
        place = f"task {score.task}, group {score.group}, wording {score.instruction}, {score.num_fewshot} shots"
        if key in seen:
            raise RunError("the same wording is scored twice", where=place)
        seen.add(key)
        if category_of.setdefault(score.task, score.category) != score.category:
            raise RunError(
                "the task is in two categories", got=f"{category_of[score.task]} and {score.category}", where=place
            )
        if not math.isfinite(score.mean_score):
            raise RunError("the score is not a finite number", got=str(score.mean_score), where=place)


def _summary(num_fewshot: int, scores: Sequence[WordingScore], names: Sequence[str]) -> Summary:
    groups = tuple(name for name in names if any(score.group == name for score in scores))
    by_task: dict[str, list[WordingScore]] = {}
    for score in scores:
        by_task.setdefault(score.task, []).append(score)

    def above(level: Level, name: str, below: Sequence[Row]) -> Row:
        counted = scores if level is Level.OVERALL else [score for score in scores if score.category == name]
        return _row_above(level, name, below, groups, counted)

    rows = [_task_row(of_task, groups) for of_task in by_task.values()]
    tasks, categories, overall = by_level(rows, category=lambda row: row.category, combine=above)
    notes = _notes(tasks, categories, groups, by_task)
    return Summary(num_fewshot, groups, tasks, categories, overall, notes)


def _task_row(scores: Sequence[WordingScore], groups: Sequence[str]) -> Row:
    summaries: dict[str, GroupSummary] = {}
    for group in groups:
        means = [score.mean_score for score in scores if score.group == group]
        if means:
            spread = stdev(means) if len(means) > 1 else None
            summaries[group] = GroupSummary(fmean(means), spread, num_wordings=len(means), num_tasks=1)
    reference = summaries.get(groups[0])
    differences = {
        group: Difference(summaries[group].mean - reference.mean, num_tasks=1)
        for group in groups[1:]
        if reference is not None and group in summaries
    }
    return Row(Level.TASK, scores[0].task, scores[0].category, summaries, differences)


def _row_above(
    level: Level, name: str, below: Sequence[Row], groups: Sequence[str], scores: Sequence[WordingScore]
) -> Row:
    """A category from its tasks, or everything from the categories: unweighted means of the rows below."""
    summaries: dict[str, GroupSummary] = {}
    differences: dict[str, Difference] = {}
    for group in groups:
        parts = [row.groups[group] for row in below if group in row.groups]
        if parts:
            stds = [part.std for part in parts if part.std is not None]
            summaries[group] = GroupSummary(
                mean=fmean(part.mean for part in parts),
                std=fmean(stds) if stds else None,
                num_wordings=len({score.instruction for score in scores if score.group == group}),
                num_tasks=sum(part.num_tasks for part in parts),
            )
        shared = [row.differences[group] for row in below if group in row.differences]
        if shared:
            value = fmean(difference.value for difference in shared)
            differences[group] = Difference(value, num_tasks=sum(difference.num_tasks for difference in shared))
    return Row(level, name, name if level is Level.CATEGORY else "", summaries, differences)


def _notes(
    tasks: Sequence[Row],
    categories: Sequence[Row],
    groups: Sequence[str],
    by_task: Mapping[str, Sequence[WordingScore]],
) -> tuple[str, ...]:
    notes: list[str] = []
    for group in groups:
        lacking = [row.name for row in tasks if group not in row.groups]
        if lacking:
            notes.append(
                f"No wording of group {group} for {_some(lacking)}: left out of this group's means and of its"
                " differences and tests; such a difference may not equal the difference of the printed means."
            )
        single = [row.name for row in tasks if group in row.groups and row.groups[group].std is None]
        if single:
            notes.append(
                f"Only one wording of group {group} for {_some(single)}: not enough data for a Std, left out of Stds."
            )
        empty = [row.name for row in categories if group not in row.groups]
        if empty:
            notes.append(f"Group {group} has nothing in category {_some(empty)}: its overall mean is over the others.")
    uneven = [name for name, scores in by_task.items() if len({score.num_examples for score in scores} - {None}) > 1]
    if uneven:
        notes.append(f"Wordings have different numbers of examples in {_some(uneven)}: compare them with care.")
    return tuple(notes)


def _some(names: Sequence[str]) -> str:
    if len(names) <= _NAMES_IN_A_NOTE:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMES_IN_A_NOTE])} and {len(names) - _NAMES_IN_A_NOTE} more"
