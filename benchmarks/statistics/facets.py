"""How often the intervals of components of variance contain the true component, on crossed designs of known effects.

    python -m benchmarks.statistics.facets [--replicates 200]

Effects of wordings, draws, examples and their combinations are normal. Scores are their sum, or 1 where the sum and a
constant are above 0 and else 0, as right and wrong answers are; the true components of these follow from bivariate
normal probabilities. Prints the share of the 95% intervals that contain the true component, in percent, and in brackets
the mean width of the interval over that of the bootstrap of all facets at once, corrected for its bias.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from itertools import chain, combinations
from typing import Any

import numpy as np
from scipy import stats

from phraseproof.analysis.facets.components import mean_squares, variance_of_facets

NAMES = ("wordings", "draws", "examples")
SETS = tuple(chain.from_iterable(combinations(range(3), size) for size in (1, 2, 3)))
SETTINGS = (
    # wordings, draws, examples; variances in the order of SETS; the constant of right and wrong answers
    ((5, 6, 25), (0.3, 0.2, 1.0, 0.1, 0.3, 0.3, 1.0), 0.5),
    ((10, 10, 100), (0.1, 0.1, 1.0, 0.05, 0.3, 0.2, 0.6), 0.8),
    ((20, 5, 100), (0.3, 0.02, 1.0, 0.02, 0.3, 0.1, 0.6), 0.0),
    ((5, 10, 200), (0.3, 0.0, 1.0, 0.0, 0.3, 0.1, 0.3), 1.5),
)
RESAMPLES = 200


def sample(
    random: np.random.Generator, shape: tuple[int, ...], variances: Mapping[tuple[int, ...], float]
) -> np.ndarray:
    scores = np.zeros(shape)
    for axes, variance in variances.items():
        size = [count if axis in axes else 1 for axis, count in enumerate(shape)]
        scores = scores + random.normal(0, variance**0.5, size)
    return scores


def of_answers(variances: Mapping[tuple[int, ...], float], constant: float) -> dict[tuple[int, ...], float]:
    """The components of scores of 0 and 1."""
    total = sum(variances.values())
    both = {}
    for axes in ((), *SETS):
        shared = sum(value for of, value in variances.items() if set(of) <= set(axes)) / total
        covariance: Any = [[1, shared], [shared, 1]]
        normal = stats.multivariate_normal([0, 0], covariance, allow_singular=True)
        both[axes] = float(normal.cdf([constant / total**0.5] * 2))
    return {
        axes: sum((-1) ** (len(axes) - len(inner)) * value for inner, value in both.items() if set(inner) <= set(axes))
        for axes in SETS
    }


def bootstrapped(random: np.random.Generator, scores: np.ndarray) -> dict[tuple[int, ...], float]:
    """The widths of percentile intervals when all facets are resampled, without the bias of resampling.

    Two slots of a facet with n levels hold the same level with probability 1 / n: components with the facet come out
    (1 - 1 / n) times as large, and what is missing is added to those without it.
    """
    shape = scores.shape
    rows = []
    for _ in range(RESAMPLES):
        drawn = scores[np.ix_(*(random.integers(0, count, count) for count in shape))]
        squares = mean_squares(drawn)
        found = {
            axes: sum((-1) ** (len(outer) - len(axes)) * squares[outer] for outer in squares if set(axes) <= set(outer))
            / np.prod([count for axis, count in enumerate(shape) if axis not in axes])
            for axes in squares
        }
        for axis, count in enumerate(shape):
            found = {
                axes: value / (1 - 1 / count)
                if axis in axes
                else value - found[tuple(sorted((*axes, axis)))] / (count - 1)
                for axes, value in found.items()
                if axes
            }
        rows.append(found)
    return {
        axes: float(np.subtract(*np.maximum(np.quantile([row[axes] for row in rows], [0.975, 0.025]), 0)))
        for axes in SETS
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=200)
    replicates = parser.parse_args().replicates
    heads = ("w", "d", "e", "w x d", "w x e", "d x e", "w x d x e")
    print(f"{'scores':9}{'wordings':>9}{'draws':>7}{'examples':>10}  ", *(f"{head:>10}" for head in heads))
    for shape, values, constant in SETTINGS:
        variances = dict(zip(SETS, values, strict=True))
        for kind in ("normal", "0 and 1"):
            true = variances if kind == "normal" else of_answers(variances, constant)
            random = np.random.default_rng(0)
            held, width, wider = np.zeros(7), np.zeros(7), np.zeros(7)
            for number in range(replicates):
                scores = sample(random, shape, variances)
                scores = scores if kind == "normal" else (scores + constant > 0).astype(float)
                found = variance_of_facets(scores, NAMES).values()
                low, high = np.array([[each.low, each.high] for each in found], dtype=float).T
                value = np.array(list(true.values()))
                held += (low <= value + 1e-12) & (value <= high)
                if number % 10 == 0:
                    width += high - low
                    wider += list(bootstrapped(random, scores).values())
            cells = [f"{100 * h / replicates:4.0f} ({w / b:.1f})" for h, w, b in zip(held, width, wider, strict=True)]
            print(f"{kind:9}{shape[0]:9}{shape[1]:7}{shape[2]:10}  ", *(f"{cell:>10}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
