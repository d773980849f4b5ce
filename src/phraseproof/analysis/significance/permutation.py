"""A paired test that does not assume normality: it permutes the signs of the differences."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import numpy as np

from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError

_EXACT_UP_TO = 14
_RESAMPLES = 20_000


def paired_permutation_test(first: Sequence[float], second: Sequence[float], *, name: str, seed: int = 0) -> Finding:
    """Two-sided permutation test of `second` against `first`, pair by pair (each pair's order is exchangeable).

    With up to 14 pairs every assignment of signs is tried and p is exact; with more, 20,000 are drawn and p can be no
    smaller than 1 / 20,001.

    Args:
        first, second: one value per pair (a task, or an example), in the same order and unit.
        name: what is estimated.
        seed: of the draw.

    Returns:
        `estimate`: mean of second minus first; `p_value`; `n`: pairs. No interval.

    Raises:
        NotEnoughDataError: fewer than two pairs.
    """
    differences = np.array([after - before for before, after in zip(first, second, strict=True)])
    n = len(differences)
    if n < 2:
        raise NotEnoughDataError("a permutation test needs at least two pairs", got=str(n))

    from scipy import stats

    exact = n <= _EXACT_UP_TO
    # Differences closer than rounding are equal: the test counts permutations that are at least as extreme.
    result = stats.permutation_test(
        (np.round(differences, 12),),
        lambda values, axis: np.round(np.mean(values, axis=axis), 12),
        permutation_type="samples",
        vectorized=True,
        n_resamples=2**n if exact else _RESAMPLES,
        alternative="two-sided",
        rng=np.random.default_rng(seed),
    )
    return Finding(
        name=name,
        estimate=fmean(map(float, differences)),
        n=n,
        method=f"paired permutation test, two-sided ({'exact' if exact else f'{_RESAMPLES} draws'})",
        p_value=float(min(1.0, result.pvalue)),
    )
