"""A paired test that does not assume normality: it permutes the signs of the differences."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import numpy as np

from phraseproof.analysis.grids import Floats
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError

_EXACT_UP_TO = 14
_RESAMPLES = 20_000
_BLOCK = 500


def paired_permutation_test(first: Sequence[float], second: Sequence[float], *, name: str, seed: int = 0) -> Finding:
    """Two-sided permutation test of `second` against `first`, pair by pair (each pair's order is exchangeable).

    An assignment of signs is as extreme as the data where its mean is as far from 0, in either direction. With up to 14
    pairs all 2^n assignments are tried, the data's own among them, and p is their share, at least 2 / 2^n. With more,
    m = 20,000 are drawn and p = (b + 1) / (m + 1), where b of them are as extreme (Phipson and Smyth 2010): no smaller
    than 1 / 20,001.

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

    exact = n <= _EXACT_UP_TO
    # Means closer than rounding are equal: permutations that are at least as extreme count.
    observed = _distances(differences, np.ones((1, n)))[0]
    if exact:
        signs = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        p_value = float(np.mean(_distances(differences, signs) >= observed))
    else:
        draw = np.random.default_rng(seed)
        extreme = sum(
            int(np.sum(_distances(differences, draw.choice([-1.0, 1.0], (_BLOCK, n))) >= observed))
            for _ in range(_RESAMPLES // _BLOCK)
        )
        p_value = (extreme + 1) / (_RESAMPLES + 1)
    return Finding(
        name=name,
        estimate=fmean(map(float, differences)),
        n=n,
        method=f"paired permutation test, two-sided ({'exact' if exact else f'{_RESAMPLES} draws'})",
        p_value=p_value,
    )


def _distances(differences: Floats, signs: Floats) -> Floats:
    """The distance of the mean from 0 under each row of signs."""
    return np.abs(np.round(signs @ differences / len(differences), 12))
