"""Tail probabilities and quantiles of the distributions that tests and intervals use, each checked.

Compiled special functions fail in silence for some arguments: they return NaN, leave the range, or jump (scipy 1.17's
noncentral t returns NaN for many usual settings). So every result is checked here: it must be finite, in its range and
monotone around the argument. Where it is not, the definition is integrated numerically. Where that fails as well, the
caller gets an error and never a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from phraseproof.errors import NotEnoughDataError

_STEP = 1e-3
_ROUNDING = 1e-9
_NODES, _MOST_NODES = 2001, 200_001
_SMALLEST_EXPONENT = -45.0
"""Densities below exp(-45) of the highest add less than rounding does."""


def normal_sf(x: float) -> float:
    """P(Z > x) of a standard normal."""
    from scipy import special  # late, because it takes longer to load than most commands need

    return checked("normal tail", special.ndtr, _normal_cdf, -x, rising=True, low=0.0, high=1.0)


def normal_quantile(p: float) -> float:
    """The x with P(Z <= x) = p, 0 < p < 1."""
    from scipy import special

    _require_probability(p)
    return checked(
        "normal quantile", special.ndtri, lambda at: _inverse(_normal_cdf, at), p, rising=True, step=_beside(p)
    )


def t_sf(x: float, freedom: float) -> float:
    """P(T > x) of Student's t; `freedom` above 0, not necessarily whole, and infinite for the normal."""
    from scipy import special

    _require_freedom(freedom)
    if math.isinf(freedom):
        return normal_sf(x)
    return checked(
        f"t tail with {freedom:g} degrees of freedom",
        lambda at: special.stdtr(freedom, -at),
        lambda at: noncentral_t_sf(at, freedom, 0.0),
        x,
        rising=False,
        low=0.0,
        high=1.0,
    )


def t_quantile(p: float, freedom: float) -> float:
    """The x with P(T <= x) = p of Student's t, 0 < p < 1."""
    from scipy import special

    _require_probability(p)
    _require_freedom(freedom)
    if math.isinf(freedom):
        return normal_quantile(p)
    return checked(
        f"t quantile with {freedom:g} degrees of freedom",
        lambda at: special.stdtrit(freedom, at),
        lambda at: _inverse(lambda x: noncentral_t_sf(-x, freedom, 0.0), at),
        p,
        rising=True,
        step=_beside(p),
    )


def noncentral_t_sf(x: float, freedom: float, shift: float) -> float:
    """P(T > x) of the noncentral t: (Z + shift) / sqrt(chi-squared(freedom) / freedom).

    Always by integration of this definition over the logarithm u of the denominator: its density is proportional to
    exp(freedom (u - exp(2 u) / 2)), and P(Z > x exp(u) - shift) is the integrand. The trapezoidal rule converges
    exponentially for such densities; dividing by the sum of the weights makes any constant unnecessary.

    Raises:
        NotEnoughDataError: the result is not finite or not between 0 and 1.
    """
    from scipy import special

    _require_freedom(freedom)
    if math.isinf(freedom):
        return normal_sf(x - shift)
    low, high = _log_chi_range(freedom)
    # The integrand falls from 1 to 0 where x exp(u) is within some units of the shift: 12 steps per such unit.
    count = math.ceil(min(_MOST_NODES, max(_NODES, 12 * (high - low) * (abs(shift) + 10.0))))
    u = np.linspace(low, high, count)
    weights = np.exp(freedom * (u - 0.5 * np.expm1(2 * u)))
    found = float(weights @ special.ndtr(shift - x * np.exp(u)) / weights.sum())
    return _valid(f"noncentral t tail with {freedom:g} degrees of freedom", found, 0.0, 1.0)


def fair_coin_cdf(heads: int, tosses: int) -> float:
    """P(at most `heads` heads in `tosses` tosses), 0 <= heads <= tosses."""
    from scipy import special

    return checked(
        f"binomial tail of {tosses} tosses",
        lambda at: special.bdtr(math.floor(at), tosses, 0.5),
        lambda at: math.fsum(_coin_masses(int(at), tosses)),
        float(heads),
        rising=True,
        low=0.0,
        high=1.0,
        step=0.0 if heads in (0, tosses) else 1.0,
    )


def checked(
    name: str,
    function: Callable[[float], float],
    fallback: Callable[[float], float],
    at: float,
    *,
    rising: bool,
    low: float = -math.inf,
    high: float = math.inf,
    step: float | None = None,
) -> float:
    """The value of a special function, or of its fallback where the function fails a check.

    Args:
        name: what it is, for the error.
        function: of one argument. Its value at `at` must be finite, between `low` and `high`, and between its values
            at the two arguments next to `at`.
        fallback: the same by other means.
        at: the argument.
        rising: the function does not fall; otherwise it does not rise.
        low, high: the range of the function.
        step: the distance of the arguments next to it; a thousandth of it by default.

    Raises:
        NotEnoughDataError: the fallback's value is not finite or out of range as well.
    """
    if step is None:
        step = _STEP * max(abs(at), _STEP) if math.isfinite(at) else 0.0
    with np.errstate(all="ignore"):
        values = [float(function(argument)) for argument in (at - step, at, at + step)]
    before, value, after = values if rising else values[::-1]
    slack = _ROUNDING * abs(value)
    if all(map(math.isfinite, values)) and low <= value <= high and before - slack <= value <= after + slack:
        return value
    return _valid(name, float(fallback(at)), low, high)


def _valid(name: str, value: float, low: float, high: float) -> float:
    if not math.isfinite(value) or not low - _ROUNDING <= value <= high + _ROUNDING:
        raise NotEnoughDataError(f"the {name} cannot be computed", expected="a finite number", got=f"{value}")
    return min(max(value, low), high)


def _beside(p: float) -> float:
    """A step that keeps a probability between 0 and 1."""
    return _STEP * min(p, 1.0 - p)


def _coin_masses(heads: int, tosses: int) -> list[float]:
    top = math.lgamma(tosses + 1) - tosses * math.log(2.0)
    return [math.exp(top - math.lgamma(each + 1) - math.lgamma(tosses - each + 1)) for each in range(heads + 1)]


def _normal_cdf(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def _inverse(cdf: Callable[[float], float], p: float) -> float:
    """The argument at which a rising distribution function is p, by bisection."""
    low, high = -1.0, 1.0
    while cdf(low) > p and low > -1e300:
        low *= 4.0
    while cdf(high) < p and high < 1e300:
        high *= 4.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if cdf(middle) < p else (low, middle)
    return 0.5 * (low + high)


def _log_chi_range(freedom: float) -> tuple[float, float]:
    """Between which logarithms of sqrt(chi-squared / freedom) the density matters."""

    def exponent(u: float) -> float:
        return freedom * (u - 0.5 * math.expm1(2 * u))

    low, high = -1.0, 1.0
    while exponent(low) > _SMALLEST_EXPONENT:
        low *= 1.5
    while exponent(high) > _SMALLEST_EXPONENT:
        high *= 1.5
    inner_low, inner_high = 0.0, 0.0
    for _ in range(60):
        middle = 0.5 * (low + inner_low)
        low, inner_low = (low, middle) if exponent(middle) > _SMALLEST_EXPONENT else (middle, inner_low)
        middle = 0.5 * (high + inner_high)
        high, inner_high = (high, middle) if exponent(middle) > _SMALLEST_EXPONENT else (middle, inner_high)
    return low, high


def _require_freedom(freedom: float) -> None:
    if not freedom > 0:
        raise NotEnoughDataError("a t distribution needs degrees of freedom above 0", got=str(freedom))


def _require_probability(p: float) -> None:
    if not 0.0 < p < 1.0:
        raise ValueError(f"a quantile needs a probability between 0 and 1, not {p}")
