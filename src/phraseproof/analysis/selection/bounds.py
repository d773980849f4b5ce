"""Bounds that hold for every wording at once, and therefore for the one that is chosen, however it is chosen.

The bound of a wording's mean is Clopper and Pearson's (1934), which needs no large sample. Its level is not 95% but the
one at which the bounds of all wordings hold together with 95%: with probability 0.95 the largest of W normal numbers,
correlated as the wordings' scores on the same examples are, is below the `reach`. So wordings that give nearly the same
answers cost little, and the level is never stricter than Bonferroni's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.distributions import normal_quantile, normal_sf
from phraseproof.analysis.grids import Floats
from phraseproof.analysis.selection.candidates import Candidates
from phraseproof.analysis.selection.criteria import CONFIDENCE, Criterion, Objective, joint_distance

_TAIL = 1 - CONFIDENCE
_TINY = 1e-12
_ROUNDING = 1e-9
_BISECTIONS = 50


class Bounds(NamedTuple):
    """Bounds [W] of the wordings' values, each kind for all wordings at once with 95%.

    Attributes:
        at_least: one-sided.
        low, high: two-sided.
    """

    at_least: Floats
    low: Floats
    high: Floats


def simultaneous_bounds(candidates: Candidates, objective: Objective, deviations: Floats) -> Bounds:
    """Bounds of every wording's value.

    The lowest of several blocks is at least the lowest of their bounds. Only one block of each wording is the lowest,
    so the bounds must hold for one block per wording, whichever it is (Berger 1982, intersection-union tests).

    Args:
        deviations: [R, B, W] from `resampling.normal_deviations`.
    """
    one = _reach(_assigned(candidates, objective, deviations), candidates.count, sides=1)
    every = candidates.means.size if objective.compares_blocks else candidates.count
    pairs = deviations.reshape(len(deviations), -1)
    two = _reach(
        iter([pairs]) if objective.compares_blocks else _assigned(candidates, objective, deviations), every, sides=2
    )
    low, high = _block_bounds(candidates, two)
    return Bounds(
        at_least=_lowest(candidates, objective, _block_bounds(candidates, one)[0]),
        low=_lowest(candidates, objective, low),
        high=_highest(candidates, objective, high),
    )


def _assigned(candidates: Candidates, objective: Objective, deviations: Floats) -> Iterator[Floats]:
    """Deviations [R, W] of each wording's value, for every choice of its blocks that is tried."""
    yield np.einsum("bw,rbw->rw", objective.shares(candidates.means, candidates.weights), deviations)
    if objective.compares_blocks and len(candidates.blocks) > 1:
        for place in range(len(candidates.blocks)):
            yield deviations[:, place]


def _reach(assigned: Iterator[Floats], count: int, *, sides: int) -> float:
    """How many standard errors the bounds are away, so that `count` of them hold together: the largest of all tries."""
    bonferroni = normal_quantile(1 - _TAIL / count / sides)
    reach = normal_quantile(1 - _TAIL / sides)
    for deviations in assigned:
        errors = np.sqrt(np.mean(deviations**2, axis=0))
        is_moving = errors > _ROUNDING
        still = count - int(is_moving.sum())
        moves = deviations[:, is_moving] / errors[is_moving]
        largest = (moves if sides == 1 else np.abs(moves)).max(axis=1) if is_moving.any() else np.zeros(len(moves))
        found = float(np.quantile(largest, CONFIDENCE))
        if still:
            # Nothing is known of how wordings with equal scores everywhere depend on others: Bonferroni for them.
            found = bonferroni
        reach = max(reach, found)
    return min(reach, bonferroni)


def _block_bounds(candidates: Candidates, reach: float) -> tuple[Floats, Floats]:
    """Clopper and Pearson's bounds [B, W] of the means, each at the level that belongs to the reach."""
    level = normal_sf(reach)
    right, wrong = candidates.means * candidates.sizes, (1 - candidates.means) * candidates.sizes
    low = np.where(right > 0, _beta_quantile(np.maximum(right, _TINY), wrong + 1, level), 0.0)
    high = np.where(wrong > 0, _beta_quantile(right + 1, np.maximum(wrong, _TINY), 1 - level), 1.0)
    return np.minimum(low, candidates.means), np.maximum(high, candidates.means)


def _beta_quantile(first: Floats, second: Floats, p: float) -> Floats:
    """Quantiles of beta distributions, by bisection: the inverse in compiled libraries fails for some arguments."""
    from scipy import special

    low, high = np.zeros_like(first), np.ones_like(first)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        is_below = special.betainc(first, second, middle) < p
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    return (low + high) / 2


def _lowest(candidates: Candidates, objective: Objective, low: Floats) -> Floats:
    """[W] the bounds of the values, from those of the blocks' means [B, W]."""
    means, weights = candidates.means, candidates.weights
    if objective.criterion is Criterion.WORST:
        return low.min(axis=0)

    def bound(shares: Floats) -> Floats:
        return (shares * means).sum(axis=0) - joint_distance(means - low, shares, candidates)

    # Of the worst blocks both the ones that were observed and those with the lowest bounds.
    return np.minimum(bound(objective.shares(means, weights)), bound(objective.shares(low, weights)))


def _highest(candidates: Candidates, objective: Objective, high: Floats) -> Floats:
    if objective.compares_blocks:
        # A value is at most that of larger means.
        return objective.values(high, candidates.weights)
    values = objective.values(candidates.means, candidates.weights)
    return values + joint_distance(high - candidates.means, candidates.weights[:, None], candidates)
