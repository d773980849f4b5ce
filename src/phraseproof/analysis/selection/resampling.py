"""Repeats of the draw of examples: bootstrap samples, normal deviations, and folds.

All are products of a matrix of weights of the examples and the matrix of scores, so that a million outcomes take
seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.estimators.resampling import RESAMPLES, drawn_counts
from phraseproof.analysis.grids import Floats
from phraseproof.analysis.selection.candidates import Candidates

_FEWEST_RESAMPLES = 500
_MOST_RESULTS = 2e7
_MOST_WEIGHTS = 5_000_000


def resamples_for(candidates: Candidates, most: int = RESAMPLES) -> int:
    """How many resamples to draw: fewer where thousands of wordings would fill the memory."""
    return int(np.clip(_MOST_RESULTS // candidates.means.size, min(most, _FEWEST_RESAMPLES), most))


def bootstrap_means(candidates: Candidates, draw: np.random.Generator, count: int) -> Floats:
    """[R, B, W] each wording's means over resampled examples, the same examples for all wordings and models.

    Every stratum keeps its number of examples.
    """

    def weigh(rows: int, size: int) -> Floats:
        return drawn_counts(draw.integers(0, size, size=(rows, size), dtype=np.intp), size) / size

    return _products(candidates, count, weigh)


def normal_deviations(candidates: Candidates, draw: np.random.Generator, count: int) -> Floats:
    """[R, B, W] deviations of means with the covariance of the observed means, from a normal law.

    The scores' deviations from their means are multiplied by normal numbers of the examples (the multiplier bootstrap:
    Chernozhukov, Chetverikov and Kato 2013, arXiv 1212.6906).
    """

    def multipliers(rows: int, size: int) -> Floats:
        found = draw.standard_normal((rows, size))
        return (found - found.mean(axis=1, keepdims=True)) / np.sqrt(size * max(size - 1, 1))

    return _products(candidates, count, multipliers)


def _products(candidates: Candidates, count: int, weigh: Callable[[int, int], Floats]) -> Floats:
    found = np.empty((count, len(candidates.blocks), candidates.count))
    for places in candidates.strata:
        size = candidates.blocks[places[0]].scores.shape[1]
        step = max(1, _MOST_WEIGHTS // size)
        for first in range(0, count, step):
            rows = slice(first, min(first + step, count))
            weights = weigh(rows.stop - rows.start, size)
            for place in places:
                found[rows, place] = weights @ candidates.blocks[place].scores.T
    return found


class Folds(NamedTuple):
    """K parts of the examples.

    Attributes:
        rest: [K, B, W] means over the examples outside each part. A block all of whose examples are in one part keeps
            its mean.
        sums: [K, B, W] sums over the examples of each part.
    """

    rest: Floats
    sums: Floats


def folds(candidates: Candidates, draw: np.random.Generator, count: int) -> Folds:
    """Split the examples of every stratum into `count` parts at random."""
    sums = np.zeros((count, *candidates.means.shape))
    left = np.zeros((count, len(candidates.blocks), 1))
    for places in candidates.strata:
        size = candidates.blocks[places[0]].scores.shape[1]
        # A random first part, so that not all small strata lose an example to the same parts.
        numbers = (np.arange(size) + draw.integers(count)) % count
        is_in = (draw.permutation(numbers) == np.arange(count)[:, None]).astype(np.float64)
        for place in places:
            sums[:, place] = is_in @ candidates.blocks[place].scores.T
            left[:, place, 0] = size - is_in.sum(axis=1)
    rest = np.where(left > 0, (sums.sum(axis=0) - sums) / np.maximum(left, 1), candidates.means)
    return Folds(rest, sums)
