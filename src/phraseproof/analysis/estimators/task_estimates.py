"""Estimates of tasks, categories and the whole of a run that scored a share of its grid.

The ends of the interval of a Std over tasks are the means of the tasks' ends: errors of Stds have one direction on all
tasks, so they do not average out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from phraseproof.analysis.aggregation import by_level
from phraseproof.analysis.estimators.sampled_mean import SampledMean, mean_of
from phraseproof.core import Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUANTILES = (5, 25, 50, 75, 95)

_STD_METHOD = "mean of the tasks' Stds, and of the ends of their intervals"

Value = TypeVar("Value")
Draws = Mapping[str, "NDArray[np.float64]"]


@dataclass(frozen=True, slots=True)
class WordingEstimate:
    """One wording.

    Attributes:
        accuracy: on all examples; `n` is how many were scored.
        sampled: the raw mean over those; other wordings were scored on other examples.
    """

    instruction: str
    accuracy: Finding
    sampled: SampledMean = field(repr=False, compare=False)

    @property
    def observed_mean(self) -> float:
        """The raw mean over the scored examples."""
        return self.sampled.value


@dataclass(frozen=True, slots=True)
class GroupEstimate:
    """A group of wordings on one task, or over tasks.

    Attributes:
        num_wordings: different ones.
        mean: over wordings (over tasks: the mean of their means).
        std: sample standard deviation over wordings (over tasks: the mean of theirs); `None` for a single wording.
        quantiles: over wordings, by percent (5, 25, 50, 75, 95); empty over tasks.
        wordings: in the run's order; empty over tasks.
    """

    group: str
    num_wordings: int
    mean: Finding
    std: Finding | None
    quantiles: Mapping[int, Finding]
    wordings: tuple[WordingEstimate, ...]


@dataclass(frozen=True, slots=True)
class TaskEstimate:
    """A task, a category or everything, at one number of demonstrations.

    Attributes:
        task: its name; a category's name; `Overall`.
        share: how much of its grid was scored.
        scored: how many cells, a wording of an example each.
        groups: in the run's order.
        differences: each later group's mean minus the first's.
        draws: by group, the posterior's draws of each wording's accuracy [draws, wordings].
    """

    task: str
    category: str
    num_fewshot: int
    share: float
    scored: int
    groups: tuple[GroupEstimate, ...]
    differences: tuple[Finding, ...]
    draws: Draws = field(repr=False, compare=False)


def over_tasks(estimates: Sequence[TaskEstimate]) -> list[TaskEstimate]:
    """Categories with several tasks, and everything where there are several categories, weighted as in `robustness`.

    A category's mean and Std are the means of its tasks', the overall ones the means of the categories'; a group does
    not count where it is missing, and a difference is over tasks that have both groups.
    """
    rows: list[TaskEstimate] = []
    for shots in dict.fromkeys(estimate.num_fewshot for estimate in estimates):
        tasks = [estimate for estimate in estimates if estimate.num_fewshot == shots]
        _, categories, overall = by_level(
            [_Summary.of_task(task) for task in tasks],
            category=lambda task: task.category,
            combine=lambda _, name, below: _Summary.of(name, below),
        )
        rows += [category.finished(category.name, shots) for category in categories if category.num_tasks > 1]
        if len(categories) > 1:
            rows.append(overall.finished("", shots))
    return rows


@dataclass(frozen=True)
class _Summary:
    """Groups over tasks. Differences are kept separately (later mean first): they are over tasks with both groups."""

    name: str
    category: str
    share: float
    scored: int
    num_tasks: int
    means: Mapping[str, SampledMean]
    stds: Mapping[str, NDArray[np.float64]]
    differences: Mapping[str, tuple[SampledMean, SampledMean]]
    reference: str
    wordings: Mapping[str, frozenset[str]]

    @staticmethod
    def of_task(task: TaskEstimate) -> _Summary:
        means = {group.group: mean_of([wording.sampled for wording in group.wordings]) for group in task.groups}
        reference = task.groups[0].group
        return _Summary(
            task.task,
            task.category,
            task.share,
            task.scored,
            1,
            means,
            {group.group: np.array(ends_of(group.std)) for group in task.groups if group.std is not None},
            {name: (means[name], means[reference]) for name in means if name != reference},
            reference,
            {group.group: frozenset(wording.instruction for wording in group.wordings) for group in task.groups},
        )

    @staticmethod
    def of(name: str, parts: Sequence[_Summary]) -> _Summary:
        reference = parts[0].reference
        means = _by_group([part.means for part in parts])
        pairs = _by_group([part.differences for part in parts if part.reference == reference])
        return _Summary(
            name,
            name,
            float(np.mean([part.share for part in parts])),
            sum(part.scored for part in parts),
            sum(part.num_tasks for part in parts),
            {group: mean_of(members) for group, members in means.items()},
            {group: np.mean(members, axis=0) for group, members in _by_group([part.stds for part in parts]).items()},
            {
                group: (mean_of([later for later, _ in members]), mean_of([first for _, first in members]))
                for group, members in pairs.items()
            },
            reference,
            {
                group: frozenset().union(*members)
                for group, members in _by_group([part.wordings for part in parts]).items()
            },
        )

    def finished(self, category: str, num_fewshot: int) -> TaskEstimate:
        counts = {group: len(names) for group, names in self.wordings.items()}
        groups = tuple(
            GroupEstimate(
                group,
                counts[group],
                mean.finding("mean", n=counts[group]),
                _std_over_tasks(self.stds[group], n=counts[group]) if group in self.stds else None,
                {},
                (),
            )
            for group, mean in self.means.items()
        )
        differences = tuple(
            later.minus(first, f"{group} minus {self.reference}", n=counts[group])
            for group, (later, first) in self.differences.items()
        )
        return TaskEstimate(self.name, category, num_fewshot, self.share, self.scored, groups, differences, {})


def ends_of(std: Finding) -> tuple[float, float, float]:
    """An estimate and the ends of its interval."""
    assert std.low is not None, "every estimate has an interval"
    assert std.high is not None, "every estimate has an interval"
    return std.estimate, std.low, std.high


def _std_over_tasks(ends: NDArray[np.float64], *, n: int) -> Finding:
    value, low, high = map(float, ends)
    return Finding("Std", value, n, _STD_METHOD, low=low, high=high)


def _by_group(parts: Sequence[Mapping[str, Value]]) -> dict[str, list[Value]]:
    """What each part has of a group, groups in the order in which they first appear."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: [part[name] for part in parts if name in part] for name in names}
