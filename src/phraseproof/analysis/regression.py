"""A straight line through points by ordinary least squares, with the interval and the t-test of its slope."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.distributions import t_quantile, t_sf
from phraseproof.analysis.grids import Floats
from phraseproof.errors import NotEnoughDataError


class FittedLine(NamedTuple):
    """A line `intercept + slope x`.

    Attributes:
        low, high: the interval of the slope, t with n - 2 degrees of freedom.
        p_value: of the null that the slope is 0, two-sided.
        r_squared: the share of the variance of y that the line explains.
    """

    slope: float
    intercept: float
    low: float
    high: float
    p_value: float
    standard_error: float
    r_squared: float


def least_squares(x: Sequence[float] | Floats, y: Sequence[float] | Floats, *, confidence: float) -> FittedLine:
    """Fit the line. Errors count as independent and of equal variance.

    Raises:
        NotEnoughDataError: fewer than three points, or all x or all y are equal.
    """
    across, up = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    count = len(across)
    if count < 3:
        raise NotEnoughDataError("a regression needs at least three points", got=str(count))
    right, above = across - across.mean(), up - up.mean()
    of_x, of_y, together = (float(one @ other) for one, other in ((right, right), (above, above), (right, above)))
    if of_x <= 0 or of_y <= 0:
        raise NotEnoughDataError("a regression needs points that differ in both directions")
    slope = together / of_x
    r_squared = min(1.0, together**2 / (of_x * of_y))
    error = math.sqrt((1.0 - r_squared) * of_y / of_x / (count - 2))
    reach = t_quantile((1 + confidence) / 2, count - 2) * error
    p_value = 2 * t_sf(abs(slope) / error if error > 0 else math.inf, count - 2)
    intercept = float(up.mean()) - slope * float(across.mean())
    return FittedLine(slope, intercept, slope - reach, slope + reach, p_value, error, r_squared)
