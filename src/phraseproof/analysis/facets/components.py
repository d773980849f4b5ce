"""Components of variance of a balanced, fully crossed random-effects design (generalizability theory).

A score is the sum of a mean, an effect of every facet, and an effect of every combination of facets; all effects are
uncorrelated and have mean 0 (Cronbach et al. 1972; Brennan 2001, "Generalizability Theory"). With one score in every
cell, the combination of all facets is the residual. With n_i levels of facet i, the expected mean square of a set of
facets S is the sum, over all sets U that contain S, of s2(U) times the product of n_i over the facets outside of U, so

    s2(S) = (sum over T that contain S of (-1)^(|T| - |S|) MS(T)) / (product of n_i over the facets outside of S).

These estimates are unbiased, whatever the distribution of the effects.

**Intervals.** Two methods are combined, because each fails where the other holds. Modified large-sample limits (Ting,
Burdick, Graybill, Jeyaratnam and Lu 1990) have the right width for few levels of normal effects. Scores of 0 and 1 are
not normal: how large the residual is differs from example to example, and normal limits then hold the true residual in
10% to 80% of samples. A jackknife that deletes levels of each facet in turn, and adds the variances, measures that, but
is too narrow for few levels. The interval reaches to the outer one of the two limits on each side. A bootstrap of all
facets at once, corrected for its bias, has intervals of interactions that are up to ten times as wide.
`python -m benchmarks.statistics.facets` shows the coverage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TypeAlias

import numpy as np

from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.score_table import BLOCK, Codes
from phraseproof.core import Finding

Facets: TypeAlias = tuple[str, ...]
"""Names of facets that an effect belongs to, in the order of the axes."""

_Axes: TypeAlias = tuple[int, ...]

CONFIDENCE = 0.95
_Z = 1.959963984540054
_BLOCKS = 40
"""Levels of a facet are deleted one by one up to this number, and in this number of blocks above it."""


def variance_of_facets(scores: Floats | Codes, facets: Facets, *, seed: int = 0) -> dict[Facets, Finding]:
    """The components of every facet and combination, smaller sets first.

    Args:
        scores: [n_1, ..., n_k] with at least two levels of every facet; of any type.
        facets: the names of the axes.
        seed: of the blocks that the jackknife deletes.

    Returns:
        By the names of its facets each component, in squared units of the scores, cut at 0, with a 95% interval. `n` is
        the number of levels or combinations.
    """
    squares = mean_squares(scores)
    found = _components(squares, scores.shape)
    errors = _jackknife(scores, np.random.default_rng(seed))
    findings: dict[Facets, Finding] = {}
    for axes, value in found.items():
        low, high = _normal_limits(squares, scores.shape, axes)
        reach = _Z * errors[axes] ** 0.5
        findings[tuple(facets[axis] for axis in axes)] = Finding(
            " x ".join(facets[axis] for axis in axes),
            max(0.0, value),
            int(np.prod([scores.shape[axis] for axis in axes])),
            "analysis of variance, outer limits of modified large-sample and jackknife intervals",
            max(0.0, min(low, value - reach)),
            max(0.0, high, value + reach),
        )
    return findings


def mean_squares(scores: Floats | Codes) -> dict[_Axes, float]:
    """The mean square of every facet and combination, by axes."""
    axes = range(scores.ndim)
    of_means = {
        kept: float(np.mean(scores.mean(axis=tuple(axis for axis in axes if axis not in kept)) ** 2))
        for kept in _sets(axes, least=0)
        if len(kept) < scores.ndim
    }
    return _mean_squares({**of_means, tuple(axes): float(_squares(scores, 0).sum()) / scores.size}, scores.shape)


def _mean_squares(of_means: Mapping[_Axes, float], shape: _Axes) -> dict[_Axes, float]:
    """From the mean, for every set of axes, of the squares of the means over all other axes."""
    found: dict[_Axes, float] = {}
    for kept in _sets(range(len(shape))):
        total = sum((-1) ** (len(kept) - len(inner)) * of_means[inner] for inner in _sets(kept, least=0))
        freedom = np.prod([shape[axis] - 1 for axis in kept])
        found[kept] = float(np.prod(shape) * total / freedom)
    return found


def _squares(scores: Floats | Codes, axis: int) -> Floats:
    """[levels of the axis] the sums of the squares of their scores, read in blocks."""
    others = tuple(place for place in range(scores.ndim) if place != axis)
    step = max(1, BLOCK * scores.shape[0] // scores.size)
    parts = [
        np.sum(scores[start : start + step].astype(np.float64) ** 2, axis=others)
        for start in range(0, scores.shape[0], step)
    ]
    return np.concatenate(parts) if axis == 0 else np.sum(parts, axis=0)


def _components(squares: Mapping[_Axes, float], shape: _Axes) -> dict[_Axes, float]:
    return {
        axes: sum((-1) ** (len(outer) - len(axes)) * squares[outer] for outer in _containing(squares, axes))
        / _number_outside(shape, axes)
        for axes in squares
    }


def _normal_limits(squares: Mapping[_Axes, float], shape: _Axes, axes: _Axes) -> tuple[float, float]:
    """Modified large-sample limits of a difference of mean squares, without their covariance terms."""
    from scipy import special

    tail = (1 - CONFIDENCE) / 2
    value = below = above = 0.0
    for outer in _containing(squares, axes):
        square = squares[outer]
        freedom = float(np.prod([shape[axis] - 1 for axis in outer]))
        down = 1 - freedom / float(special.chdtri(freedom, tail))
        up = freedom / float(special.chdtri(freedom, 1 - tail)) - 1
        is_added = (len(outer) - len(axes)) % 2 == 0
        value += square if is_added else -square
        below += ((down if is_added else up) * square) ** 2
        above += ((up if is_added else down) * square) ** 2
    count = _number_outside(shape, axes)
    return (value - below**0.5) / count, (value + above**0.5) / count


def _jackknife(scores: Floats | Codes, rng: np.random.Generator) -> dict[_Axes, float]:
    """The sampling variance of every component: the sum over facets of what deleting their levels shows."""
    total: dict[_Axes, float] = dict.fromkeys(_sets(range(scores.ndim)), 0.0)
    for axis, count in enumerate(scores.shape):
        # Without three levels, deleting one leaves no mean square; the normal limits then stand for the facet.
        if count < 3:
            continue
        blocks = np.array_split(rng.permutation(count), min(count, _BLOCKS))
        rows = [_components(squares, shape) for squares, shape in _without(scores, axis, blocks)]
        for axes in total:
            values = np.array([row[axes] for row in rows])
            total[axes] += (len(rows) - 1) / len(rows) * float(np.sum((values - values.mean()) ** 2))
    return total


def _without(scores: Floats | Codes, axis: int, blocks: Sequence[Ints]) -> Iterator[tuple[dict[_Axes, float], _Axes]]:
    """The mean squares, and the shape, without each block of the levels of an axis.

    They follow from sums over all levels, less those over the block: each score is read a few times, and not once for
    every block.
    """
    axes, shape = tuple(range(scores.ndim)), scores.shape
    others = [kept for kept in _sets(axes, least=0) if axis not in kept]
    # With the axis: the summed squares of the means of each of its levels. Without it: sums over the levels of blocks.
    of_levels = {
        kept: _squares(scores, axis)
        if kept == axes
        else np.sum(np.moveaxis(_mean_over(scores, kept, axes), kept.index(axis), 0).reshape(shape[axis], -1) ** 2, 1)
        for kept in (tuple(sorted((*kept, axis))) for kept in others)
    }
    of_blocks = [scores.take(block, axis=axis).sum(axis=axis, dtype=np.float64) for block in blocks]
    whole = np.sum(of_blocks, axis=0)
    rest = [place for place in axes if place != axis]
    for block, sums in zip(blocks, of_blocks, strict=True):
        left = shape[axis] - len(block)
        mean = (whole - sums) / left
        of_means: dict[_Axes, float] = {}
        for kept in others:
            gone = tuple(rest.index(place) for place in rest if place not in kept)
            of_means[kept] = float(np.mean(mean.mean(axis=gone) ** 2)) if gone else float(np.mean(mean**2))
        for kept, squares in of_levels.items():
            number = left * np.prod([shape[place] for place in kept if place != axis])
            of_means[kept] = float((squares.sum() - squares[block].sum()) / number)
        reduced = tuple(left if place == axis else count for place, count in enumerate(shape))
        yield _mean_squares(of_means, reduced), reduced


def _mean_over(scores: Floats | Codes, kept: _Axes, axes: _Axes) -> Floats:
    return np.asarray(scores.mean(axis=tuple(place for place in axes if place not in kept), dtype=np.float64))


def _sets(axes: range | _Axes, *, least: int = 1) -> Iterator[_Axes]:
    for size in range(least, len(axes) + 1):
        yield from combinations(axes, size)


def _containing(squares: Mapping[_Axes, float], axes: _Axes) -> list[_Axes]:
    return [outer for outer in squares if set(axes) <= set(outer)]


def _number_outside(shape: _Axes, axes: _Axes) -> float:
    return float(np.prod([count for axis, count in enumerate(shape) if axis not in axes]))
