"""The distribution over wordings of a run that scored a share of its grid (PromptEval, Polo et al. 2024).

A wording's accuracy is estimated as what was observed plus what the Rasch model (rasch.py) predicts for the rest of its
examples. It, the Std and the quantiles over wordings are means of the posterior's draws, and their intervals the middle
95%. So the quantiles are not those of estimates that were shrunk together, nor of raw means, whose spread
includes noise.

Means over wordings, and their differences, come of the sampling alone (sampled_mean.py): the model's means are drawn
towards the middle on every task in the same direction, which does not average out over tasks. Nor does it in Stds, and
no estimate of them is right on average: over tasks, the ends of their interval are the means of the tasks' ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from phraseproof.analysis.aggregation import by_level
from phraseproof.analysis.estimators.rasch import Grid
from phraseproof.analysis.estimators.sampled_grid import kept_or_drawn, sampled_grid
from phraseproof.analysis.estimators.sampled_mean import (
    CONFIDENCE,
    SampledMean,
    mean_of,
    sampled_mean,
    spread_interval,
)
from phraseproof.core import Cell, Finding
from phraseproof.errors import UsageError
from phraseproof.store.estimates import KeptDraws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phraseproof.store.queries import Run, WordingScore

QUANTILES = (5, 25, 50, 75, 95)

_METHOD = "Rasch model of the sampled grid, mean and middle 95% of posterior draws"
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


def estimate_run(
    run: Run, *, group_order: Sequence[str] = (), covariates: bool = False, seed: int = 0
) -> list[TaskEstimate]:
    """Estimate every task of a run from the cells that are done.

    Args:
        run: usually one with a budget; of one without, the estimates are the exact means.
        group_order: groups to put first; the first is the one that the others are compared with.
        covariates: use features of the wordings' texts (`wording_features`).
        seed: of the posterior's draws, which are kept in the run's folder `estimates` and read from there again.

    Raises:
        NotEnoughDataError: no cell is done, or the run holds imported accuracies.
        RunError: scores are not between 0 and 1, or a cell's file is damaged.
        UsageError: `group_order` names a group that the run has no wording of.
    """
    for name in group_order:
        if name not in run.groups:
            raise UsageError(f"no group of wordings is called {name!r}", expected=f"one of: {', '.join(run.groups)}")
    order = [*group_order, *(name for name in run.groups if name not in group_order)]
    kept = KeptDraws(run.path, f"{'covariates' if covariates else 'plain'}-{seed}")
    planes: dict[tuple[str, int], dict[Cell, Mapping[str, float]]] = {}
    for cell, table in run.read_cells(["example_id", "score"]):
        columns: Any = table.to_pydict()
        scores = dict(zip(columns["example_id"], columns["score"], strict=True))
        planes.setdefault((cell.task, cell.num_fewshot), {})[cell] = scores
    texts = run.wording_texts() if covariates else None
    draw = np.random.default_rng(seed)
    found: list[TaskEstimate] = []
    for cells in planes.values():
        grid = sampled_grid(cells, run.groups, texts)
        drawn = kept_or_drawn(grid, int(draw.integers(2**31)), kept)
        found.append(_estimate_task(list(cells), grid, order, drawn))
    kept.tidy()
    return found


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


def estimated_scores(run: Run) -> list[WordingScore]:
    """The estimates in the form of a whole run's scores, for what needs no interval."""
    from phraseproof.store.queries import WordingScore

    return [
        WordingScore(
            task.task,
            task.category,
            group.group,
            wording.instruction,
            task.num_fewshot,
            wording.accuracy.estimate,
            wording.accuracy.n,
        )
        for task in estimate_run(run)
        for group in task.groups
        for wording in group.wordings
    ]


def scores_or_estimates(run: Run) -> list[WordingScore]:
    """The scores of a run, or their estimates if the run has a budget; of imported results as they were published."""
    return estimated_scores(run) if run.share < 1 else run.wording_scores()


def _estimate_task(
    cells: Sequence[Cell], grid: Grid, group_order: Sequence[str], drawn: NDArray[np.float64]
) -> TaskEstimate:
    first, scores, seen = cells[0], grid.scores, grid.seen
    present = {cell.group for cell in cells}
    names = [name for name in group_order if name in present]

    draws: dict[str, NDArray[np.float64]] = {}
    estimates: list[GroupEstimate] = []
    for name in names:
        rows: dict[str, list[int]] = {}
        for row, cell in enumerate(cells):
            if cell.group == name:
                rows.setdefault(cell.instruction, []).append(row)
        # A wording under several seeds of demonstrations counts once, by the mean.
        draws[name] = np.stack([drawn[:, members].mean(axis=1) for members in rows.values()], axis=1)
        wordings = tuple(
            WordingEstimate(
                instruction,
                _finding(instruction, draws[name][:, place], n=int(seen[members].sum())),
                sampled_mean(scores[members], seen[members]),
            )
            for place, (instruction, members) in enumerate(rows.items())
        )
        estimates.append(_group(name, draws[name], wordings))
    share = float(seen.sum() / seen.size)
    means = {group.group: mean_of([wording.sampled for wording in group.wordings]) for group in estimates}
    differences = [
        means[group.group].minus(means[names[0]], f"{group.group} minus {names[0]}", n=group.num_wordings)
        for group in estimates[1:]
    ]
    return TaskEstimate(
        first.task,
        first.category,
        first.num_fewshot,
        share,
        int(seen.sum()),
        tuple(estimates),
        tuple(differences),
        draws,
    )


def _group(name: str, draws: NDArray[np.float64], wordings: tuple[WordingEstimate, ...]) -> GroupEstimate:
    count = draws.shape[1]
    quantiles = np.percentile(draws, QUANTILES, axis=1)
    return GroupEstimate(
        name,
        count,
        mean_of([wording.sampled for wording in wordings]).finding("mean", n=count),
        _std(draws, wordings) if count > 1 else None,
        {percent: _finding(f"{percent}%", row, n=count) for percent, row in zip(QUANTILES, quantiles, strict=True)},
        wordings,
    )


def _std(draws: NDArray[np.float64], wordings: Sequence[WordingEstimate]) -> Finding:
    """The model's Std, its interval widened: the model knows no questions that suit one wording and not another."""
    found = _finding("Std", draws.std(axis=1, ddof=1), n=len(wordings))
    low, high = spread_interval([wording.sampled for wording in wordings])
    of_model = _ends(found)
    method = f"{_METHOD}, widened to the interval of the sampling alone"
    return replace(found, method=method, low=min(low, of_model[1]), high=max(high, of_model[2]))


def _finding(name: str, draws: NDArray[np.float64], *, n: int) -> Finding:
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    # Where nearly all draws are one number, 100% say, their mean may lie just outside of their middle.
    mean = float(draws.mean())
    return Finding(name, mean, n, _METHOD, low=min(float(low), mean), high=max(float(high), mean))


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
            {group.group: np.array(_ends(group.std)) for group in task.groups if group.std is not None},
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


def _ends(std: Finding) -> tuple[float, float, float]:
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
