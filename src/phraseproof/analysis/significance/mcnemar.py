"""Two wordings on the same examples: McNemar's test, and Holm's correction where there are many of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.distributions import fair_coin_cdf, normal_quantile
from phraseproof.analysis.grids import Floats, TaskGrid
from phraseproof.analysis.significance.holm import holm
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError, UsageError

_CONFIDENCE = 0.95


class WordingTest(NamedTuple):
    """One wording against another.

    Attributes:
        instruction, group: the wording that was tested.
        finding: its accuracy minus the other's, with McNemar's p.
        p_holm: the p-value after Holm's correction over all wordings tested together.
    """

    instruction: str
    group: str
    finding: Finding
    p_holm: float


def mcnemar(first: Sequence[float] | Floats, second: Sequence[float] | Floats, *, name: str) -> Finding:
    """McNemar's exact test of `second` against `first` on the same examples, two-sided.

    Only examples that one gets right and the other wrong count; under the null both cases are equally likely.

    Args:
        first, second: 1 for a right answer, 0 for a wrong one, per example, in the same order.
        name: what is estimated.

    Returns:
        `estimate`: accuracy of second minus first; `low`, `high`: 95% interval of Agresti & Min (2005), which adds half
        an example to each of the four outcomes; `n`: examples.

    Raises:
        NotEnoughDataError: there are no examples.
        UsageError: a score is neither 0 nor 1.
    """
    before, after = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if len(before) != len(after):
        raise ValueError(f"paired scores of different lengths: {len(before)} and {len(after)}")
    if not len(before):
        raise NotEnoughDataError("McNemar's test needs examples")
    if not np.isin(np.concatenate([before, after]), (0.0, 1.0)).all():
        raise UsageError(
            "McNemar's test is for answers that are right or wrong",
            expected="scores of 0 and 1",
            hint="Use a paired permutation test for other metrics and for means over demonstration draws",
        )
    n = len(before)
    gained, lost = int(np.sum(after > before)), int(np.sum(after < before))
    estimate = (gained - lost) / n
    centre = (gained - lost) / (n + 2)
    error = math.sqrt(((gained + lost + 1) - (gained - lost) ** 2 / (n + 2)) / (n + 2) ** 2)
    reach = normal_quantile((1 + _CONFIDENCE) / 2) * error
    return Finding(
        name=name,
        estimate=estimate,
        n=n,
        method="McNemar's exact test, two-sided; interval of Agresti and Min",
        low=max(-1.0, centre - reach),
        high=min(1.0, centre + reach),
        p_value=min(1.0, 2 * fair_coin_cdf(min(gained, lost), gained + lost)),
    )


def compare_wordings(grid: TaskGrid, first: str, second: str, *, group: str | None = None) -> Finding:
    """McNemar's test of the wording `second` against `first` on the examples of one task.

    Args:
        first, second: names `collection/id`.
        group: where a wording serves in several groups, the one that is meant.

    Raises:
        UsageError: the task has no such wording, or its scores are not right or wrong.
        NotEnoughDataError: there are no outcomes of examples.
    """
    if grid.table is None:
        raise NotEnoughDataError("comparing two wordings needs outcomes of examples", where=grid.task)
    grid.metric.require_binary("McNemar's test")
    rows = [_row(grid, name, group) for name in (first, second)]
    return mcnemar(*(grid.table.row(row) for row in rows), name=f"{second} minus {first}")


def wordings_against(grid: TaskGrid, reference: str) -> tuple[WordingTest, ...]:
    """Every other wording of a task against one of them, with Holm's correction over all.

    Raises:
        as `compare_wordings`.
    """
    if grid.table is None:
        raise NotEnoughDataError("comparing wordings needs outcomes of examples", where=grid.task)
    grid.metric.require_binary("McNemar's test")
    base = _row(grid, reference, None)
    before = grid.table.row(base)
    found = [
        (row, mcnemar(before, grid.table.row(row), name=f"{wording} minus {reference}"))
        for row, wording in enumerate(grid.wordings)
        if wording != reference
    ]
    corrected = holm([finding.p_value for _, finding in found if finding.p_value is not None])
    return tuple(
        WordingTest(grid.wordings[row], grid.groups[row], finding, p_holm)
        for (row, finding), p_holm in zip(found, corrected, strict=True)
    )


def _row(grid: TaskGrid, name: str, group: str | None) -> int:
    for row, (wording, of_group) in enumerate(zip(grid.wordings, grid.groups, strict=True)):
        if wording == name and group in {None, of_group}:
            return row
    some = ", ".join(grid.wordings[:5])
    raise UsageError(f"the task {grid.task!r} has no wording {name!r}", expected=f"one of its wordings ({some}, ...)")
