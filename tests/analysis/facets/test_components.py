"""Components against statsmodels' analysis of variance and expected mean squares by brute force, and their coverage."""

from __future__ import annotations

from itertools import chain, combinations, product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from phraseproof.analysis.facets import components
from phraseproof.analysis.facets.components import mean_squares, variance_of_facets
from phraseproof.analysis.grids import Floats

NAMES = ("wordings", "draws", "examples")
SETS = list(chain.from_iterable(combinations(range(3), size) for size in (1, 2, 3)))


def sample(rng: np.random.Generator, shape: tuple[int, ...], variances: dict[tuple[int, ...], float]) -> Floats:
    """A crossed design of normal effects."""
    scores: Floats = np.zeros(shape)
    for axes, variance in variances.items():
        size = [n if axis in axes else 1 for axis, n in enumerate(shape)]
        scores = np.asarray(scores + rng.normal(0, variance**0.5, size), dtype=np.float64)
    return scores


def bivariate_normal(correlation: float) -> Any:
    covariance: Any = [[1, correlation], [correlation, 1]]
    return stats.multivariate_normal([0, 0], covariance, allow_singular=True)


def test_mean_squares_are_those_of_statsmodels() -> None:
    scores = np.random.default_rng(0).integers(0, 2, (3, 4, 5)).astype(float)
    frame = pd.DataFrame([{"w": w, "d": d, "e": e, "y": scores[w, d, e]} for w, d, e in np.ndindex(*scores.shape)])
    table = anova_lm(ols("y ~ C(w) + C(d) + C(e) + C(w):C(d) + C(w):C(e) + C(d):C(e)", frame).fit())["mean_sq"]
    terms = ["C(w)", "C(d)", "C(e)", "C(w):C(d)", "C(w):C(e)", "C(d):C(e)", "Residual"]
    assert list(mean_squares(scores).values()) == pytest.approx([table[term] for term in terms])


def test_components_solve_the_expected_mean_squares() -> None:
    """Expected mean squares as traces of projections, which use no formula of balanced designs."""
    shape = (3, 4, 5)
    scores = np.random.default_rng(1).normal(size=shape) + np.arange(3)[:, None, None]
    means = [np.full((n, n), 1 / n) for n in shape]
    centred = [np.eye(n) - mean for n, mean in zip(shape, means, strict=True)]

    def kron(parts: list[Floats]) -> Floats:
        return np.asarray(np.kron(np.kron(parts[0], parts[1]), parts[2]), dtype=np.float64)

    expected = np.empty((7, 7))
    observed = np.empty(7)
    for row, axes in enumerate(SETS):
        projection = kron([centred[axis] if axis in axes else means[axis] for axis in range(3)])
        freedom = np.trace(projection)
        observed[row] = scores.ravel() @ projection @ scores.ravel() / freedom
        for column, of in enumerate(SETS):
            covariance = kron([np.eye(n) if axis in of else np.ones((n, n)) for axis, n in enumerate(shape)])
            expected[row, column] = np.trace(projection @ covariance) / freedom
    solved = np.linalg.solve(expected, observed)
    found = variance_of_facets(scores, NAMES)
    assert [" x ".join(facets) for facets in found] == [each.name for each in found.values()]
    assert [each.estimate for each in found.values()] == pytest.approx(np.maximum(solved, 0).tolist(), abs=1e-12)
    assert [each.n for each in found.values()] == [3, 4, 5, 12, 15, 20, 60]
    for each in found.values():
        assert each.low is not None
        assert each.high is not None
        assert 0 <= each.low <= each.estimate <= each.high


def test_two_facets_are_the_wordings_by_examples_design() -> None:
    scores = np.array([[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0]])
    # By hand: means of rows 1/2, 1/4, 3/4; of columns 1, 2/3, 1/3, 0; of all 1/2.
    between = 4 * (0 + 1 / 16 + 1 / 16) / 2
    examples = 3 * (1 / 4 + 1 / 36 + 1 / 36 + 1 / 4) / 3
    total = 12 * 0.25
    residual = (total - 2 * between - 3 * examples) / 6
    found = variance_of_facets(scores, ("wordings", "examples"))
    assert found["wordings",].estimate == pytest.approx((between - residual) / 4)
    assert found["examples",].estimate == pytest.approx((examples - residual) / 3)
    assert found["wordings", "examples"].estimate == pytest.approx(residual)


VARIANCES = dict(zip(SETS, (0.3, 0.2, 1.0, 0.1, 0.3, 0.3, 1.0), strict=True))


@pytest.mark.parametrize("is_binary", [False, True])
def test_intervals_hold_the_true_components(is_binary: bool) -> None:
    """In nine of ten samples at least; `benchmarks.statistics.facets` has larger designs and more samples."""
    true = list(VARIANCES.values())
    if is_binary:
        # A score is 1 where the sum of the effects and 0.5 is above 0. The probability that two scores which share some
        # effects are both 1 is that of a bivariate normal distribution.
        total = sum(true)
        both = {
            axes: float(normal.cdf([0.5 / total**0.5] * 2))
            for axes in [(), *SETS]
            for shared in [sum(v for of, v in VARIANCES.items() if set(of) <= set(axes)) / total]
            for normal in [bivariate_normal(shared)]
        }
        true = [
            sum((-1) ** (len(axes) - len(inner)) * value for inner, value in both.items() if set(inner) <= set(axes))
            for axes in SETS
        ]
    rng = np.random.default_rng(2)
    held = np.zeros(7)
    estimates = np.zeros(7)
    for _ in range(40):
        scores = sample(rng, (5, 6, 25), VARIANCES)
        found = variance_of_facets((scores + 0.5 > 0).astype(float) if is_binary else scores, NAMES).values()
        held += [(each.low or 0) <= value <= (each.high or 0) for each, value in zip(found, true, strict=True)]
        estimates += [each.estimate for each in found]
    assert min(held) >= 36
    assert estimates / 40 == pytest.approx(np.array(true), rel=0.35)


def test_every_order_of_axes_has_the_same_components() -> None:
    scores = np.random.default_rng(3).normal(size=(3, 4, 5))
    found = variance_of_facets(scores, NAMES)
    turned = variance_of_facets(scores.transpose(2, 0, 1), ("examples", "wordings", "draws"))
    for facets, other in product(found, turned):
        if set(facets) == set(other):
            assert found[facets].estimate == pytest.approx(turned[other].estimate)
            assert found[facets].high == pytest.approx(turned[other].high)


def solved(scores: np.ndarray) -> dict[tuple[int, ...], float]:
    """The components before they are cut at 0."""
    squares, number = mean_squares(scores), np.array(scores.shape)
    return {
        axes: sum((-1) ** (len(of) - len(axes)) * squares[of] for of in squares if set(axes) <= set(of))
        / float(np.prod(np.delete(number, axes)))
        for axes in squares
    }


@pytest.mark.parametrize("shape", [(60, 50), (5, 4, 45)])
def test_the_jackknife_deletes_blocks_of_levels(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Against components of arrays from which each block was deleted; whole numbers in bytes give the same."""
    monkeypatch.setattr(components, "BLOCK", 60)
    rng = np.random.default_rng(4)
    scores = (rng.random(shape) < rng.choice([0.01, 0.5], shape[-1], p=[0.8, 0.2])).astype(int)
    values, errors = solved(scores.astype(float)), dict.fromkeys(solved(scores), 0.0)
    rng = np.random.default_rng(7)
    for axis, count in enumerate(shape):
        blocks = np.array_split(rng.permutation(count), min(count, 40))
        rows = [solved(np.delete(scores.astype(float), block, axis=axis)) for block in blocks]
        for axes in errors:
            deleted = np.array([row[axes] for row in rows])
            errors[axes] += (len(rows) - 1) / len(rows) * float(np.sum((deleted - deleted.mean()) ** 2))
    found = [variance_of_facets(scores.astype(kind), NAMES[: len(shape)], seed=7) for kind in (float, np.int8)]
    assert found[0] == found[1]
    is_jackknife: list[bool] = []
    for axes, finding in zip(values, found[0].values(), strict=True):
        assert finding.estimate == pytest.approx(max(0.0, values[axes]))
        # The outer one of two limits.
        limit = max(0.0, values[axes] + 1.959963984540054 * errors[axes] ** 0.5)
        assert finding.high is not None
        assert finding.high >= limit - 1e-12
        is_jackknife.append(finding.high == pytest.approx(limit))
    assert any(is_jackknife)
