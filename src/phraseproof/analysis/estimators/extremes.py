"""Intervals for the best wording, the worst and their distance, among the wordings that were tried.

A sample cannot estimate the extremes of a population of wordings: the bootstrap is known to fail for them. It can
estimate the accuracy of the best and the worst of *these* wordings on other examples. All their true accuracies lie in
a simultaneous band with the stated confidence; the extremes of the band then bound the true extremes, free of the
winner's curse, with at least that confidence.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from phraseproof.analysis.distributions import normal_quantile
from phraseproof.analysis.estimators.resampling import CONFIDENCE
from phraseproof.analysis.grids import Floats


class Bounded(NamedTuple):
    """A value in an interval."""

    value: float
    low: float
    high: float


class Extremes(NamedTuple):
    """The lowest and the highest score of a set of wordings, and their distance."""

    lowest: Bounded
    highest: Bounded
    range: Bounded


def extremes(means: Floats, resampled: Floats, right_or_wrong: int | None = None) -> Extremes:
    """The extremes of the wordings tried, with intervals over examples.

    Args:
        means: [w] their mean scores.
        resampled: [R, w] the same over resampled examples.
        right_or_wrong: the number of examples where each score is 0 or 1. The band is then Wilson's, because ten right
            answers of ten do not make a wording perfect.
    """
    low, high = _band(means, resampled, right_or_wrong)
    lowest = Bounded(float(means.min()), float(low.min()), float(high.min()))
    highest = Bounded(float(means.max()), float(low.max()), float(high.max()))
    # What all wordings have in common (how hard the drawn examples are) does not move their distance.
    own = means - means.mean()
    centred = resampled - resampled.mean(axis=1, keepdims=True)
    apart = lowest._replace(value=highest.value - lowest.value, low=0.0, high=highest.high - lowest.low)
    if np.ptp(centred, axis=0).max() > 0:
        low, high = _band(own, centred, None)
        apart = apart._replace(low=max(0.0, float(low.max() - high.min())), high=float(high.max() - low.min()))
    return Extremes(lowest, highest, apart)


def mean_of_bounded(parts: list[tuple[Bounded, float]], *, lowest: float = 0.0, highest: float = 1.0) -> Bounded:
    """A weighted mean of independent values and its interval, from theirs (MOVER, Zou & Donner 2008).

    Args:
        parts: values with their weights.
        lowest, highest: what the mean can be; the interval is cut to it.
    """
    value = sum(weight * part.value for part, weight in parts)
    below = np.sqrt(sum((weight * (part.value - part.low)) ** 2 for part, weight in parts))
    above = np.sqrt(sum((weight * (part.high - part.value)) ** 2 for part, weight in parts))
    return Bounded(value, max(lowest, value - float(below)), min(highest, value + float(above)))


def _band(means: Floats, resampled: Floats, right_or_wrong: int | None) -> tuple[Floats, Floats]:
    """Lower and upper bounds [w] that hold for all wordings at once: the largest studentised deviation decides."""
    deviations = resampled - means
    errors = deviations.std(axis=0, ddof=1)
    moving = errors > 0
    if moving.any():
        reach = float(np.quantile(np.max(np.abs(deviations[:, moving]) / errors[moving], axis=1), CONFIDENCE))
    else:
        reach = normal_quantile((1 + CONFIDENCE) / 2)
    if right_or_wrong is None:
        return means - reach * errors, means + reach * errors
    return wilson(means, right_or_wrong, reach)


def wilson(share: Floats | float, count: Floats | float, reach: float) -> tuple[Floats, Floats]:
    """Wilson's interval (1927) of shares of right or wrong answers.

    Args:
        count: how many answers, not necessarily a whole number.
        reach: the normal quantile.
    """
    share = np.asarray(share, dtype=np.float64)
    squared = reach**2 / count
    centre = (share + squared / 2) / (1 + squared)
    width = np.sqrt(squared * share * (1 - share) + squared**2 / 4) / (1 + squared)
    return centre - width, centre + width
