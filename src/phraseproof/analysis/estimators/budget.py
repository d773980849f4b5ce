"""The distribution over wordings of a run that scored a share of its grid (PromptEval, Polo et al. 2024).

A wording's accuracy is estimated as what was observed plus what the Rasch model (rasch.py) predicts for the rest of its
examples. Every number is the mean of the posterior's draws and its interval their middle 95%: so the quantiles over
wordings are not those of estimates that were shrunk together, nor of raw means, whose spread includes noise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from phraseproof.analysis.aggregation import by_level
from phraseproof.analysis.estimators.rasch import VERSION, Grid, draw_accuracies
from phraseproof.core import Cell, Finding
from phraseproof.errors import NotEnoughDataError, RunError, UsageError
from phraseproof.identity import content_hash
from phraseproof.store.estimates import KeptDraws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phraseproof.store.queries import Run, WordingScore

QUANTILES = (5, 25, 50, 75, 95)
CONFIDENCE = 0.95
DRAWS = 300

_METHOD = "Rasch model of the sampled grid, mean and middle 95% of posterior draws"

Draws = Mapping[str, "NDArray[np.float64]"]


@dataclass(frozen=True, slots=True)
class WordingEstimate:
    """One wording.

    Attributes:
        accuracy: on all examples; `n` is how many were scored.
        observed_mean: the raw mean over those; other wordings were scored on other examples.
    """

    instruction: str
    accuracy: Finding
    observed_mean: float


@dataclass(frozen=True, slots=True)
class GroupEstimate:
    """A group of wordings on one task, or over tasks.

    Attributes:
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
        grid = _sample(cells, run.groups, texts)
        drawn = _kept_or_drawn(grid, int(draw.integers(2**31)), kept)
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


def estimate_grid(grid: Grid, *, seed: int = 0) -> NDArray[np.float64]:
    """The posterior's draws of every wording's accuracy on a complete grid of which a part was scored, [draws,
    wordings].

    Raises:
        NotEnoughDataError: no cell of a wording was scored.
    """
    if not grid.seen.any(axis=1).all():
        raise NotEnoughDataError("a wording has no outcome", expected="at least one example scored for each wording")
    if grid.seen.all():
        return np.repeat(grid.scores.mean(axis=1)[None], 2, axis=0)
    draw = np.random.default_rng(seed)
    # In random order, so that the draws of two tasks can be paired as independent.
    return draw.permutation(draw_accuracies(grid, DRAWS, draw))


def _sample(
    cells: Mapping[Cell, Mapping[str, float]],
    groups: Sequence[str],
    texts: Mapping[tuple[str, str], str] | None,
) -> Grid:
    """The scored part of a task, one row per cell."""
    first = next(iter(cells))
    examples = {
        example: place for place, example in enumerate(dict.fromkeys(id_ for row in cells.values() for id_ in row))
    }
    width = max(len(examples), *(cell.grid_examples or cell.num_examples for cell in cells))
    scores, seen = np.zeros((len(cells), width)), np.zeros((len(cells), width))
    for row, of_cell in enumerate(cells.values()):
        places = [examples[example] for example in of_cell]
        scores[row, places] = list(of_cell.values())
        seen[row, places] = 1.0
    if not (np.isfinite(scores).all() and scores.min() >= 0 and scores.max() <= 1):
        raise RunError(
            f"scores of {first.task!r} cannot be estimated from a share of them",
            expected="scores from 0 to 1",
            got=f"scores in the metric {first.metric!r}",
        )
    features = np.zeros((len(cells), 0))
    if texts is not None:
        from phraseproof.analysis.estimators.wording_features import wording_features

        features = wording_features([texts.get((cell.task, cell.instruction), "") for cell in cells])
    # In the order of the run, not the order shown: the same grid is drawn once.
    present = list(dict.fromkeys(sorted((cell.group for cell in cells), key=groups.index)))
    of_row = np.array([present.index(cell.group) for cell in cells], dtype=np.int64)
    return Grid(scores, seen, of_row, features)


def _kept_or_drawn(grid: Grid, seed: int, kept: KeptDraws) -> NDArray[np.float64]:
    if grid.seen.all():
        return estimate_grid(grid, seed=seed)
    parts = [grid.scores, grid.seen, grid.groups, grid.features]
    digests = [[list(part.shape), hashlib.sha256(np.ascontiguousarray(part).tobytes()).hexdigest()] for part in parts]
    key = content_hash([VERSION, DRAWS, seed, digests])
    drawn = kept.get(key)
    if drawn is None:
        drawn = estimate_grid(grid, seed=seed)
        kept.put(key, drawn)
    return drawn


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
                observed_mean=float(scores[members].sum() / seen[members].sum()),
            )
            for place, (instruction, members) in enumerate(rows.items())
        )
        estimates.append(_group(name, draws[name], wordings))
    share = float(seen.sum() / seen.size)
    means = {name: part.mean(axis=1) for name, part in draws.items()}
    return TaskEstimate(
        first.task,
        first.category,
        first.num_fewshot,
        share,
        int(seen.sum()),
        tuple(estimates),
        _differences(names, means, {name: part.shape[1] for name, part in draws.items()}),
        draws,
    )


def _group(name: str, draws: NDArray[np.float64], wordings: tuple[WordingEstimate, ...]) -> GroupEstimate:
    count = draws.shape[1]
    quantiles = np.percentile(draws, QUANTILES, axis=1)
    return GroupEstimate(
        name,
        count,
        _finding("mean", draws.mean(axis=1), n=count),
        _finding("Std", draws.std(axis=1, ddof=1), n=count) if count > 1 else None,
        {percent: _finding(f"{percent}%", row, n=count) for percent, row in zip(QUANTILES, quantiles, strict=True)},
        wordings,
    )


def _differences(
    names: Sequence[str], means: Mapping[str, NDArray[np.float64]], counts: Mapping[str, int]
) -> tuple[Finding, ...]:
    return tuple(
        _finding(f"{name} minus {names[0]}", means[name] - means[names[0]], n=counts[name]) for name in names[1:]
    )


def _finding(name: str, draws: NDArray[np.float64], *, n: int) -> Finding:
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    # Where nearly all draws are one number, 100% say, their mean may lie just outside of their middle.
    mean = float(draws.mean())
    return Finding(name, mean, n, _METHOD, low=min(float(low), mean), high=max(float(high), mean))


@dataclass(frozen=True)
class _Summary:
    """Means of draws over tasks. Differences are kept separately, because they are over tasks with both groups."""

    name: str
    category: str
    share: float
    scored: int
    num_tasks: int
    means: Mapping[str, NDArray[np.float64]]
    stds: Mapping[str, NDArray[np.float64]]
    differences: Mapping[str, NDArray[np.float64]]
    reference: str
    counts: Mapping[str, int]

    @staticmethod
    def of_task(task: TaskEstimate) -> _Summary:
        means = {name: part.mean(axis=1) for name, part in task.draws.items()}
        reference = task.groups[0].group
        return _Summary(
            task.task,
            task.category,
            task.share,
            task.scored,
            1,
            means,
            {name: part.std(axis=1, ddof=1) for name, part in task.draws.items() if part.shape[1] > 1},
            {name: means[name] - means[reference] for name in means if name != reference},
            reference,
            {name: part.shape[1] for name, part in task.draws.items()},
        )

    @staticmethod
    def of(name: str, parts: Sequence[_Summary]) -> _Summary:
        reference = parts[0].reference
        with_both = [part for part in parts if part.reference == reference]
        groups = list(dict.fromkeys(group for part in parts for group in part.means))
        return _Summary(
            name,
            name,
            float(np.mean([part.share for part in parts])),
            sum(part.scored for part in parts),
            sum(part.num_tasks for part in parts),
            _mean_by_group([part.means for part in parts]),
            _mean_by_group([part.stds for part in parts]),
            _mean_by_group([part.differences for part in with_both]),
            reference,
            {group: sum(part.counts.get(group, 0) for part in parts) for group in groups},
        )

    def finished(self, category: str, num_fewshot: int) -> TaskEstimate:
        groups = tuple(
            GroupEstimate(
                group,
                self.counts[group],
                _finding("mean", means, n=self.counts[group]),
                _finding("Std", self.stds[group], n=self.counts[group]) if group in self.stds else None,
                {},
                (),
            )
            for group, means in self.means.items()
        )
        differences = tuple(
            _finding(f"{group} minus {self.reference}", draws, n=self.counts[group])
            for group, draws in self.differences.items()
        )
        return TaskEstimate(self.name, category, num_fewshot, self.share, self.scored, groups, differences, {})


def _mean_by_group(parts: Sequence[Mapping[str, NDArray[np.float64]]]) -> dict[str, NDArray[np.float64]]:
    """Draws of different tasks are independent, so the nth of one is paired with the nth of another, up to the smallest
    number of draws."""
    found: dict[str, NDArray[np.float64]] = {}
    for group in dict.fromkeys(name for part in parts for name in part):
        members = [part[group] for part in parts if group in part]
        length = max(map(len, members))
        found[group] = np.mean([np.resize(member, length) for member in members], axis=0)
    return found
