"""The sample-size check of a budget: whether quantiles over wordings are estimated precisely enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from phraseproof.analysis.estimators.task_estimates import QUANTILES, TaskEstimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

AIM = {5: 0.02, 50: 0.01, 95: 0.02}
"""The mean absolute error, by percent, up to which a quantile over wordings counts as precise enough."""


ENOUGH_FOR_A_STD = 10
"""Answers per wording from which on a Std is not expected to be too large by more than a point."""


class SampleSizeCheck(NamedTuple):
    """Tasks of which a budget scored too few cells for quantiles as precise as `AIM`.

    Attributes:
        num_short, num_tasks: how many tasks miss the aim, and of how many.
        task, group, percent: the quantile that is furthest from its aim.
        scored: the number of the task's cells that were scored.
        error: the quantile's expected absolute error, a fraction.
        share: roughly the share of the grid that would be enough.
    """

    num_short: int
    num_tasks: int
    task: str
    group: str
    percent: int
    scored: int
    error: float
    share: float


def sample_size_check(estimates: Sequence[TaskEstimate]) -> SampleSizeCheck | None:
    """Find the quantile whose expected error is the largest multiple of its aim; `None` where all aims are met.

    Args:
        estimates: of tasks; those over tasks have no quantiles.
    """
    found: list[tuple[float, SampleSizeCheck]] = []
    short: set[tuple[str, int]] = set()
    for task in estimates:
        for group, draws in task.draws.items():
            errors = expected_errors(draws)
            for percent, aim in AIM.items():
                excess = errors[percent] / aim
                if excess > 1:
                    short.add((task.task, task.num_fewshot))
                    # Errors are proportional to sqrt(rest / scored), as for a sample of a finite population.
                    share = 1 / (1 + (1 - task.share) / task.share / excess**2)
                    row = SampleSizeCheck(
                        0, len(estimates), task.task, group, percent, task.scored, errors[percent], share
                    )
                    found.append((excess, row))
    if not found:
        return None
    _, worst = max(found, key=lambda each: each[0])
    return worst._replace(num_short=len(short))


def too_few_cells(estimates: Sequence[TaskEstimate]) -> str:
    """A sentence that says what budget would be enough; empty where quantiles are precise enough."""
    found = sample_size_check(estimates)
    if found is None:
        return ""
    tails, median = (100 * AIM[percent] for percent in (5, 50))
    several = f", on {found.num_short} of {found.num_tasks} tasks" if found.num_tasks > 1 else ""
    where = f"{found.task}, {found.group}; {found.scored:,} cells scored"
    return (
        f"too few cells for a median within {median:g} point and outer quantiles within {tails:g}{several}: at worst "
        f"({where}) expect the {found.percent}% quantile to be off by some {100 * found.error:.1f} points; about "
        f"--budget {_rounded(found.share)}% would be enough"
    )


def uncertain_stds(estimates: Sequence[TaskEstimate]) -> str:
    """A sentence where wordings have so few answers that a Std is too large on average; empty where they have enough.

    How much too large was measured on complete runs (docs/budget.md): 7 points with 3 answers per wording of a task
    near chance, 3 points with 6, below 1 point with 12.
    """
    answers = {
        (task.task, group.group): min(wording.accuracy.n for wording in group.wordings)
        for task in estimates
        for group in task.groups
        if task.share < 1 and group.std is not None and group.wordings
    }
    few = {place: count for place, count in answers.items() if count < ENOUGH_FOR_A_STD}
    if not few:
        return ""
    (task, group), count = min(few.items(), key=lambda each: each[1])
    places = f"{len(few)} of {len(answers)} groups of wordings"
    return (
        f"fewer than {ENOUGH_FOR_A_STD} answers per wording, in {places} (fewest: {task}, {group}; {count}): a Std is "
        "then too large on average; use its interval"
    )


def expected_errors(draws: NDArray[np.float64]) -> dict[int, float]:
    """By percent, the mean distance of a quantile's draws from its estimate: the error that the model expects.

    Args:
        draws: [draws, wordings] of accuracies.
    """
    quantiles = np.percentile(draws, QUANTILES, axis=1)
    errors = np.abs(quantiles - quantiles.mean(axis=1, keepdims=True)).mean(axis=1)
    return dict(zip(QUANTILES, map(float, errors), strict=True))


def _rounded(share: float) -> int:
    """A round percentage, not below the share."""
    step = 1 if share < 0.1 else 5
    return min(100, step * math.ceil(100 * share / step))
