"""Differences between two runs of which at least one has a budget, from the answers that were scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from phraseproof.analysis.aggregation import Level, by_level
from phraseproof.analysis.estimators.sampled_mean import SampledMean, mean_of
from phraseproof.analysis.estimators.task_estimates import TaskEstimate
from phraseproof.analysis.robustness import BALANCED, MeanDifference
from phraseproof.errors import NotEnoughDataError

Pair = tuple[SampledMean, SampledMean]


def estimated_differences(
    before: Sequence[TaskEstimate], after: Sequence[TaskEstimate]
) -> dict[int, list[MeanDifference]]:
    """By number of demonstrations: categories above their tasks, everything last, then each group of everything,
    and their mean.

    Errors of the two sides count as independent. If both runs scored the same cells, their errors are correlated, and
    the interval is wider than necessary.

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
    wordings: Mapping[str, frozenset[str]]

    @staticmethod
    def of_task(before: TaskEstimate, after: TaskEstimate) -> _Part:
        chosen: dict[str, dict[str, Pair]] = {}
        for group in before.groups:
            there = {
                wording.instruction: wording.sampled
                for each in after.groups
                if each.group == group.group
                for wording in each.wordings
            }
            shared = {
                wording.instruction: (wording.sampled, there[wording.instruction])
                for wording in group.wordings
                if wording.instruction in there
            }
            if shared:
                chosen[group.group] = shared
        pairs = {group: _mean(list(shared.values())) for group, shared in chosen.items()}
        if chosen:
            pairs[""] = _mean([pair for shared in chosen.values() for pair in shared.values()])
        names = {group: frozenset(shared) for group, shared in chosen.items()}
        return _Part(Level.TASK, before.task, before.category, pairs, names | {"": frozenset().union(*names.values())})

    @staticmethod
    def over(level: Level, name: str, parts: Sequence[_Part]) -> _Part:
        names = dict.fromkeys(group for part in parts for group in part.groups)
        groups = {group: _mean([part.groups[group] for part in parts if group in part.groups]) for group in names}
        wordings = {
            group: frozenset().union(*(part.wordings[group] for part in parts if group in part.groups))
            for group in names
        }
        return _Part(level, name, name, groups, wordings)

    def row(self, group: str = "") -> MeanDifference:
        earlier, later = self.groups[group]
        finding = later.minus(earlier, "after minus before", n=len(self.wordings[group]))
        return MeanDifference(self.level, self.name, self.category, group, earlier.value, later.value, finding)

    def balanced(self) -> MeanDifference:
        """All groups, each counting equally."""
        named = [group for group in self.groups if group]
        pairs = {**self.groups, BALANCED: _mean([self.groups[group] for group in named])}
        wordings = {**self.wordings, BALANCED: self.wordings[""]}
        return self._replace(groups=pairs, wordings=wordings).row(BALANCED)


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
        yield top.balanced()


def _mean(pairs: Sequence[Pair]) -> Pair:
    return mean_of([earlier for earlier, _ in pairs]), mean_of([later for _, later in pairs])
