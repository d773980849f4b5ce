"""Whether a budget bought enough cells: how large errors of quantiles over wordings are to be expected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from phraseproof.analysis.estimators.budget import QUANTILES, TaskEstimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

AIM = {5: 0.02, 50: 0.01, 95: 0.02}
"""How near to the truth a quantile over wordings is wanted on average, by percent; a budget that gives it is enough."""


class Shortfall(NamedTuple):
    """Tasks of which a budget bought too few cells for quantiles as near as `AIM`.

    Attributes:
        num_short, num_tasks: how many tasks fall short, and of how many.
        task, group, percent: the quantile that is furthest from its aim.
        scored: the task's cells.
        error: the quantile's expected absolute error, a fraction.
        share: about how much of the grid it would take.
    """

    num_short: int
    num_tasks: int
    task: str
    group: str
    percent: int
    scored: int
    error: float
    share: float


def shortfall(estimates: Sequence[TaskEstimate]) -> Shortfall | None:
    """The quantile whose expected error is the most times its aim; nothing where all aims are met.

    Args:
        estimates: of tasks; those over tasks have no quantiles.
    """
    found: list[tuple[float, Shortfall]] = []
    short: set[tuple[str, int]] = set()
    for task in estimates:
        for group, draws in task.draws.items():
            errors = expected_errors(draws)
            for percent, aim in AIM.items():
                excess = errors[percent] / aim
                if excess > 1:
                    short.add((task.task, task.num_fewshot))
                    # Errors go with sqrt(rest / scored), as the luck of a sample of a finite whole does.
                    share = 1 / (1 + (1 - task.share) / task.share / excess**2)
                    row = Shortfall(0, len(estimates), task.task, group, percent, task.scored, errors[percent], share)
                    found.append((excess, row))
    if not found:
        return None
    _, worst = max(found, key=lambda each: each[0])
    return worst._replace(num_short=len(short))


def expected_errors(draws: NDArray[np.float64]) -> dict[int, float]:
    """By percent, the mean distance of a quantile's draws from its estimate: what the model expects of its own error.

    Args:
        draws: [draws, wordings] of accuracies.
    """
    quantiles = np.percentile(draws, QUANTILES, axis=1)
    errors = np.abs(quantiles - quantiles.mean(axis=1, keepdims=True)).mean(axis=1)
    return dict(zip(QUANTILES, map(float, errors), strict=True))
