"""Differences between two runs of which at least one has a budget: from draws of the scores of complete grids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from phraseproof.analysis.aggregation import Level, by_level
from phraseproof.analysis.estimators.budget import CONFIDENCE, TaskEstimate
from phraseproof.analysis.robustness import MeanDifference
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

METHOD = "difference of estimated means, middle 95% of posterior draws"

Pair = tuple["NDArray[np.float64]", "NDArray[np.float64]"]


def estimated_differences(
    before: Sequence[TaskEstimate], after: Sequence[TaskEstimate]
) -> dict[int, list[MeanDifference]]:
    """By number of demonstrations: categories above their tasks, everything last, then each group of everything.

    The two sides must have been drawn with different seeds. Their draws are paired as independent. If both runs scored
    the same cells, their errors are correlated, and the interval is wider than necessary.

    Args:
        before, after: of tasks (`estimate_run`); those of a complete run are exact.

    Raises:
        NotEnoughDataError: no task has a wording that both runs have.
    """
    found: dict[int, list[MeanDifference]] = {}
    for shots in dict.fromkeys(estimate.num_fewshot for estimate in before):
        sides = [{each.task: each for each in side if each.num_fewshot == shots} for side in (before, after)]
        tasks = [
            part
            for name in sides[0]
            if name in sides[1] and (part := _Part.of_task(sides[0][name], sides[1][name])).groups
        ]
        if tasks:
            found[shots] = list(_rows(tasks))
    if not found:
        raise NotEnoughDataError("the runs have no wording in common on any task")
    return found


class _Part(NamedTuple):
    """What both runs have of a task, category or everything; the group "" is all wordings together."""

    level: Level
    name: str
    category: str
    groups: Mapping[str, Pair]
    counts: Mapping[str, int]

    @staticmethod
    def of_task(before: TaskEstimate, after: TaskEstimate) -> _Part:
        chosen: dict[str, Pair] = {}
        for group in before.groups:
            columns = {wording.instruction: place for place, wording in enumerate(group.wordings)}
            others = [each for each in after.groups if each.group == group.group]
            there = {wording.instruction: place for each in others for place, wording in enumerate(each.wordings)}
            shared = [name for name in columns if name in there]
            if shared:
                chosen[group.group] = (
                    before.draws[group.group][:, [columns[name] for name in shared]],
                    after.draws[group.group][:, [there[name] for name in shared]],
                )
        if chosen:
            sides = [np.concatenate([pair[side] for pair in chosen.values()], axis=1) for side in (0, 1)]
            chosen[""] = sides[0], sides[1]
        counts = {group: pair[0].shape[1] for group, pair in chosen.items()}
        means = {group: _even(earlier.mean(axis=1), later.mean(axis=1)) for group, (earlier, later) in chosen.items()}
        return _Part(Level.TASK, before.task, before.category, means, counts)

    @staticmethod
    def over(level: Level, name: str, parts: Sequence[_Part]) -> _Part:
        groups: dict[str, Pair] = {}
        for group in dict.fromkeys(group for part in parts for group in part.groups):
            members = [part.groups[group] for part in parts if group in part.groups]
            length = max(len(pair[0]) for pair in members)
            sides = [np.mean([np.resize(pair[side], length) for pair in members], axis=0) for side in (0, 1)]
            groups[group] = sides[0], sides[1]
        counts = {group: sum(part.counts.get(group, 0) for part in parts) for group in groups}
        return _Part(level, name, name, groups, counts)

    def row(self, group: str = "") -> MeanDifference:
        earlier, later = self.groups[group]
        gain = later - earlier
        low, high = np.quantile(gain, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        finding = Finding(
            "after minus before", float(gain.mean()), self.counts[group], METHOD, low=float(low), high=float(high)
        )
        return MeanDifference(
            self.level, self.name, self.category, group, float(earlier.mean()), float(later.mean()), finding
        )


def _rows(tasks: Sequence[_Part]) -> Iterator[MeanDifference]:
    top = tasks[0]
    if len(tasks) == 1:
        yield top.row()
    else:
        _, categories, top = by_level(tasks, category=lambda task: task.category, combine=_Part.over)
        for category in categories:
            yield category.row()
            yield from (task.row() for task in tasks if task.category == category.name)
        yield top.row()
    named = [group for group in top.groups if group]
    if len(named) > 1:
        for group in named:
            yield top.row(group)


def _even(one: NDArray[np.float64], other: NDArray[np.float64]) -> Pair:
    """Repeat the draws of the side with fewer: a run without a budget has only a few, which are equal."""
    length = max(len(one), len(other))
    return np.resize(one, length), np.resize(other, length)
