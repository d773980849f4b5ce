"""The distribution over wordings of a run that scored a share of its grid (PromptEval, Polo et al. 2024).

A wording's accuracy is estimated as the observed answers plus what the Rasch model (rasch.py) predicts for the other
examples. Accuracies, the Std and the quantiles over wordings are means of posterior draws; their intervals are the
middle 95% of the draws. Quantiles of shrunken estimates would be too close together. Quantiles of raw means would be
too far apart, because raw means include noise.

Means over wordings, and their differences, are estimated from the sampling alone (sampled_mean.py). The model's means
are shrunk in the same direction on every task, and this error does not average out over tasks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from phraseproof.analysis.estimators.rasch import Grid
from phraseproof.analysis.estimators.sampled_grid import kept_or_drawn, sampled_grid
from phraseproof.analysis.estimators.sampled_mean import (
    CONFIDENCE,
    mean_of,
    sampled_mean,
    spread_interval,
)
from phraseproof.analysis.estimators.task_estimates import (
    QUANTILES,
    GroupEstimate,
    TaskEstimate,
    WordingEstimate,
    ends_of,
)
from phraseproof.core import Cell, Finding
from phraseproof.errors import UsageError
from phraseproof.store.estimates import KeptDraws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phraseproof.store.queries import Run, WordingScore

_METHOD = "Rasch model of the sampled grid, mean and middle 95% of posterior draws"


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


def estimated_scores(run: Run) -> list[WordingScore]:
    """The estimates in the form of a whole run's scores, without intervals."""
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
    """The model's Std with a wider interval: the model ignores that a question may suit one wording and not another."""
    found = _finding("Std", draws.std(axis=1, ddof=1), n=len(wordings))
    low, high = spread_interval([wording.sampled for wording in wordings])
    of_model = ends_of(found)
    method = f"{_METHOD}, widened to the interval of the sampling alone"
    return replace(found, method=method, low=min(low, of_model[1]), high=max(high, of_model[2]))


def _finding(name: str, draws: NDArray[np.float64], *, n: int) -> Finding:
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    # If nearly all draws are one number, such as 100%, their mean may be just outside the middle 95%.
    mean = float(draws.mean())
    return Finding(name, mean, n, _METHOD, low=min(float(low), mean), high=max(float(high), mean))
