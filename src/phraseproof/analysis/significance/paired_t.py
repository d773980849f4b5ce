"""Whether two groups of wordings differ by more than the choice of tasks explains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from phraseproof.analysis.distributions import t_quantile, t_sf
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError

if TYPE_CHECKING:
    from phraseproof.analysis.robustness import Summary

CONFIDENCE = 0.95

# Differences of task means closer together than this are equal but for rounding: one example more or less moves a task
# mean by far more. Below it a t statistic would divide rounding error by rounding error.
_ROUNDING = 1e-12


def compare_groups(summary: Summary, group: str, reference: str | None = None, *, width: float = math.inf) -> Finding:
    """Paired t-test over tasks: a group's mean on each task against the reference group's (paper, Table 3).

    Tasks weigh equally here, while the overall row weighs categories equally: the two differences are not the same
    number. Tasks that lack one of the groups are ignored.

    Args:
        summary: the rows of one model at one number of demonstrations.
        group: a name in `summary.groups`.
        reference: what it is compared with; the summary's first group by default.
        width: as in `paired_t_test`.

    Returns:
        See `paired_t_test`; the estimate is group minus reference.

    Raises:
        NotEnoughDataError: fewer than two tasks have both groups.
    """
    base = summary.groups[0] if reference is None else reference
    shared = [row.groups for row in summary.tasks if base in row.groups and group in row.groups]
    return paired_t_test(
        [groups[base].mean for groups in shared],
        [groups[group].mean for groups in shared],
        name=f"{group} minus {base}",
        width=width,
    )


def paired_t_test(first: Sequence[float], second: Sequence[float], *, name: str, width: float = math.inf) -> Finding:
    """Two-sided paired t-test of `second` against `first`, task by task.

    Where all differences are equal the t statistic has no finite value; the answer is then its limit: p = 1 for no
    difference at all, p = 0 for a constant one, and an interval of no width.

    Args:
        first, second: one mean per task, in the same order and unit.
        name: what is estimated.
        width: the largest difference that two means can have: the interval ends there, which over two or three tasks
            the t distribution does not.

    Returns:
        `estimate`: mean of second minus first, in the unit given; `low`, `high`: its 95% interval from the t
        distribution with n - 1 degrees of freedom; `n`: tasks.

    Raises:
        NotEnoughDataError: fewer than two tasks.
    """
    differences = [after - before for before, after in zip(first, second, strict=True)]
    n = len(differences)
    if n < 2:
        raise NotEnoughDataError("a paired t-test needs at least two tasks that have both groups", got=str(n))
    estimate = fmean(differences)
    scale = max(map(abs, (*first, *second)))
    if max(differences) - min(differences) <= _ROUNDING * scale:
        same = math.isclose(estimate, 0.0, abs_tol=_ROUNDING * scale)
        estimate = 0.0 if same else estimate
        return Finding(
            name=name,
            estimate=estimate,
            n=n,
            method="paired t-test, two-sided (limit: all differences are equal)",
            low=estimate,
            high=estimate,
            p_value=1.0 if same else 0.0,
        )

    error = stdev(differences) / math.sqrt(n)
    reach = t_quantile((1 + CONFIDENCE) / 2, n - 1) * error
    return Finding(
        name=name,
        estimate=estimate,
        n=n,
        method="paired t-test, two-sided",
        low=max(-width, estimate - reach),
        high=min(width, estimate + reach),
        p_value=2 * t_sf(abs(estimate) / error, n - 1),
        standard_error=error,
        degrees_of_freedom=n - 1,
    )
