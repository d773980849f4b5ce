"""Every tail and quantile against mpmath, and what happens where a special function fails."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
import pytest

from phraseproof.analysis.distributions import (
    checked,
    fair_coin_cdf,
    noncentral_t_sf,
    normal_quantile,
    normal_sf,
    t_quantile,
    t_sf,
)
from phraseproof.errors import NotEnoughDataError


def exact_noncentral_t_sf(x: float, freedom: float, shift: float) -> float:
    """By mpmath's quadrature over the chi distribution, with constants, in 20 digits."""
    with mpmath.workdps(20):
        half = mpmath.mpf(freedom) / 2

        def integrand(s: Any) -> Any:
            density = 2 * half**half / mpmath.gamma(half) * s ** (2 * half - 1) * mpmath.exp(-half * s * s)
            return density * mpmath.ncdf(shift - x * s)

        width = 1 / math.sqrt(2 * freedom)
        crossing = shift / x if x else 0.0
        points = {0.0, 1e-4, 1e-2, *(max(0.0, 1 + k * width) for k in (-6, -3, -1, 0, 1, 3, 6, 12))}
        points |= {max(0.0, crossing + k / abs(x)) for k in (-8, -4, -2, 0, 2, 4, 8)} if x else set()
        found: Any = mpmath.quad(integrand, [*sorted(points), mpmath.inf])
        return float(found)


FREEDOMS = (1, 1.7, 2, 3, 5, 8.4, 20, 77, 250, 1000, 20_000)
SHIFTS = (-40.0, -3.0, 0.0, 0.3, 2.0, 5.0, 12.0, 30.0)


@pytest.mark.parametrize("place", range(len(FREEDOMS)))
@pytest.mark.parametrize("shift", SHIFTS)
def test_noncentral_t_is_its_definition(place: int, shift: float):
    """Every pair of freedom and shift at two of five points, so that every freedom and every shift meets all five."""
    freedom, points = FREEDOMS[place], (0.0, 1.7, 2.2, 4.3, 12.7)
    for step in (0, 2):
        x = points[(place + SHIFTS.index(shift) + step) % len(points)]
        assert noncentral_t_sf(x, freedom, shift) == pytest.approx(
            exact_noncentral_t_sf(x, freedom, shift), abs=2e-13, rel=1e-8
        )


def test_noncentral_t_is_finite_and_falls_everywhere():
    """Also in the settings in which scipy 1.17's own function is NaN."""
    for freedom in (1.0, 1.3, 2.0, 4.5, 18.0, 98.0, 301.0, 1998.0, 1e6):
        for shift in (-1e6, -50.0, -1.0, 0.0, 1e-9, 1.0, 4.0, 11.0, 80.0, 1e4, 1e8, math.inf):
            tails = [noncentral_t_sf(x, freedom, shift) for x in (-5.0, 0.0, 1.96, 2.5, 4.3, 12.7, 100.0)]
            assert all(0.0 <= tail <= 1.0 for tail in tails)
            assert all(after <= before + 1e-13 for before, after in pairwise(tails))


@pytest.mark.parametrize("freedom", [0.5, 1, 2, 3.7, 9, 30, 122.6, 1e4, 1e7])
def test_t_is_the_incomplete_beta_function(freedom: float):
    for x in (0.0, 1e-6, 0.4, 1.0, 2.0, 5.0, 40.0, 1e4):
        with mpmath.workdps(40):
            square = mpmath.mpf(x) ** 2
            ratio = mpmath.mpf(freedom) / (freedom + square)
            tail = mpmath.betainc(mpmath.mpf(freedom) / 2, mpmath.mpf(1) / 2, 0, ratio, regularized=True) / 2
        assert t_sf(x, freedom) == pytest.approx(float(tail), rel=1e-9)
        assert t_sf(-x, freedom) == pytest.approx(1 - float(tail), rel=1e-9)
    for p in (0.001, 0.025, 0.2, 0.5, 0.95, 0.975, 0.9999):
        assert 1 - t_sf(t_quantile(p, freedom), freedom) == pytest.approx(p, rel=1e-9)


def test_the_ends_of_t():
    assert (t_sf(math.inf, 3), t_sf(-math.inf, 3), t_sf(1.0, math.inf)) == (0.0, 1.0, normal_sf(1.0))
    assert t_quantile(0.975, math.inf) == normal_quantile(0.975)


def test_the_normal():
    for x in (-9.0, -1.0, 0.0, 0.5, 1.96, 6.0, 30.0):
        assert normal_sf(x) == pytest.approx(float(mpmath.ncdf(-x)), rel=1e-12)
    for p in (1e-9, 0.025, 0.5, 0.975):
        assert float(mpmath.ncdf(normal_quantile(p))) == pytest.approx(p, rel=1e-10)


def test_tosses_of_a_coin():
    for tosses in (0, 1, 2, 7, 40, 1000, 30_000):
        for heads in sorted({0, tosses // 3, tosses // 2, tosses}):
            exact = sum(math.comb(tosses, each) for each in range(heads + 1)) if tosses <= 1000 else None
            found = fair_coin_cdf(heads, tosses)
            assert 0.0 <= found <= 1.0
            if exact is not None:
                assert found == pytest.approx(float(mpmath.mpf(exact) / mpmath.mpf(2) ** tosses), rel=1e-10)


@pytest.mark.parametrize(
    "broken",
    [
        lambda at: math.nan,
        lambda at: math.inf,
        lambda at: 1.5,
        lambda at: 0.5 - at,
        lambda at: 0.3 if at == 2.0 else 0.4 + at / 100,
        lambda at: math.nan if at > 2.0 else 0.5,
    ],
    ids=["nan", "infinite", "out of range", "falls", "a hole", "nan beside it"],
)
def test_a_function_that_fails_a_check_is_replaced(broken: Callable[[float], float]):
    assert checked("it", broken, lambda at: at / 4, 2.0, rising=True, low=0.0, high=1.0) == 0.5


def test_a_function_that_passes_is_not_replaced():
    def never(_: float) -> float:
        raise AssertionError

    assert checked("it", lambda at: at / 4, never, 2.0, rising=True, low=0.0, high=1.0) == 0.5


def test_no_number_where_the_fallback_fails_as_well():
    with pytest.raises(NotEnoughDataError, match="the tail cannot be computed"):
        checked("tail", lambda at: math.nan, lambda at: math.nan, 1.0, rising=True)


def test_fallbacks_are_the_same_functions(monkeypatch: pytest.MonkeyPatch):
    """With a special function that always fails, every result comes from the fallback."""
    from scipy import special

    cases = [
        (lambda: t_sf(2.1, 7.3), 1e-9),
        (lambda: t_quantile(0.975, 7.3), 1e-9),
        (lambda: fair_coin_cdf(11, 31), 1e-10),
        (lambda: normal_sf(1.3), 1e-12),
        (lambda: normal_quantile(0.9), 1e-12),
    ]
    wanted = [case() for case, _ in cases]
    real = special.ndtr
    for name in ("stdtr", "stdtrit", "bdtr", "ndtri"):
        monkeypatch.setattr(special, name, lambda *_: math.nan)
    for (case, error), value in zip(cases[:3], wanted[:3], strict=True):
        assert case() == pytest.approx(value, rel=error)
    assert cases[4][0]() == pytest.approx(wanted[4], rel=1e-12)
    # The integral needs the normal distribution on arrays; a scalar that fails is the tail's own.
    monkeypatch.setattr(special, "ndtr", lambda x: math.nan if np.ndim(x) == 0 else real(x))
    assert cases[3][0]() == pytest.approx(wanted[3], rel=1e-12)


@pytest.mark.parametrize("freedom", [0.0, -1.0, math.nan])
def test_degrees_of_freedom_that_make_no_sense(freedom: float):
    for ask in (lambda: t_sf(1.0, freedom), lambda: t_quantile(0.5, freedom), lambda: noncentral_t_sf(1, freedom, 1)):
        with pytest.raises(NotEnoughDataError, match="degrees of freedom above 0"):
            ask()
