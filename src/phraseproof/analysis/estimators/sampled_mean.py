"""A mean over wordings of which a part of the answers was scored, from the sampling alone.

Every wording is scored on examples drawn at random, about as many as any other (`evaluation/budget.py`). So the raw
mean of a wording's scored answers is right on average, whatever the model is, and so is the mean of these over wordings
and over tasks: errors have no common sign and average out. Estimates of a model of the grid (rasch.py) do not have this
property: they are drawn towards the middle, most near 0 and 1, on every task in the same direction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from phraseproof.analysis.distributions import normal_quantile, t_quantile
from phraseproof.analysis.estimators.extremes import wilson
from phraseproof.analysis.grids import Floats
from phraseproof.core import Finding

CONFIDENCE = 0.95

METHOD = "mean of the scored answers, Wilson's interval with their effective number"
DIFFERENCE = "difference of means of the scored answers, interval of Newcombe"

_PRIOR = 4.0
"""How many answers the variance within all wordings counts for, in that within one of them."""


@dataclass(frozen=True, slots=True, eq=False)
class SampledMean:
    """A weighted mean of wordings' raw means. One array entry per wording (and seed of demonstrations) of a task.

    Attributes:
        weights: sum to 1.
        means: of the scored answers.
        units: the variance of each mean per variance of one answer: (1 - scored / all) / scored.
        squares: sums of squared deviations of the scored answers from their mean.
        freedom: scored answers minus 1.
    """

    weights: Floats
    means: Floats
    units: Floats
    squares: Floats
    freedom: Floats

    @property
    def value(self) -> float:
        """The estimate."""
        # A sum of weights may differ from 1 by rounding.
        return min(max(float(self.weights @ self.means), float(self.means.min())), float(self.means.max()))

    @property
    def pooled_variance(self) -> float:
        """The variance of one answer within the wordings; between right and wrong where too few answers say more."""
        inside = min(max(self.value, 0.0), 1.0)
        apart = inside * (1.0 - inside)
        return (float(self.squares.sum()) + _PRIOR * apart) / (float(self.freedom.sum()) + _PRIOR)

    def interval(self) -> tuple[float, float]:
        """Wilson's interval with the effective number of answers (Korn and Graubard 1998); exact for a whole grid.

        The effective number is that of a simple sample with the same variance. It is known also where all scored
        answers are right: their number, weighted, and corrected for the share of the grid.
        """
        value, units = self.value, float(self.weights**2 @ self.units)
        if units <= 0:
            return value, value
        inside = min(max(value, 0.0), 1.0)
        apart = inside * (1.0 - inside)
        variances = (self.squares + _PRIOR * self.pooled_variance) / (self.freedom + _PRIOR)
        variance = float((self.weights**2 * self.units) @ variances)
        effective = apart / variance if apart > 0 and variance > 0 else 1.0 / units
        low, high = wilson(inside, effective, normal_quantile((1 + CONFIDENCE) / 2))
        return min(max(float(low), 0.0), value), max(min(float(high), 1.0), value)

    def finding(self, name: str, *, n: int) -> Finding:
        """The mean with its interval."""
        low, high = self.interval()
        return Finding(name, self.value, n, METHOD, low=low, high=high)

    def minus(self, other: SampledMean, name: str, *, n: int) -> Finding:
        """The difference of two means whose errors are independent, with its interval (Newcombe 1998)."""
        own, others = self.interval(), other.interval()
        estimate = self.value - other.value
        below = math.hypot(self.value - own[0], others[1] - other.value)
        above = math.hypot(own[1] - self.value, other.value - others[0])
        return Finding(name, estimate, n, DIFFERENCE, low=max(-1.0, estimate - below), high=min(1.0, estimate + above))


def sampled_mean(scores: Floats, seen: Floats) -> SampledMean:
    """The mean over rows of a part of a grid.

    Args:
        scores: [rows, examples]; cells that were not scored do not count.
        seen: [rows, examples], 1 where it was; at least one cell in each row.
    """
    asked = seen.sum(axis=1)
    means = (scores * seen).sum(axis=1) / asked
    squares = np.square((scores - means[:, None]) * seen).sum(axis=1)
    units = (1.0 - asked / scores.shape[1]) / asked
    return SampledMean(np.full(len(asked), 1.0 / len(asked)), means, units, squares, asked - 1.0)


def spread_interval(wordings: Sequence[SampledMean]) -> tuple[float, float]:
    """The ends of the wordings' standard deviation, from the sampling alone; exact for a whole grid.

    The variance between raw means, less the variance that the sampling adds to each, is right on average. With W
    wordings and that noise n, it varies by (2 n^2 + 4 n S^2) / (W - 1) around the true S^2; the ends are the S^2 that
    lie a t quantile of it away from what was found.

    Args:
        wordings: at least two.
    """
    noise = mean_of(wordings).pooled_variance * float(
        np.mean([wording.weights**2 @ wording.units for wording in wordings])
    )
    square = float(np.var([wording.value for wording in wordings], ddof=1)) - noise
    reach = t_quantile((1 + CONFIDENCE) / 2, len(wordings) - 1) ** 2 / (len(wordings) - 1)
    # (square - S^2)^2 = reach (2 noise^2 + 4 noise S^2), solved for S^2.
    middle = square + 2 * reach * noise
    apart = math.sqrt(max(0.0, middle**2 - square**2 + 2 * reach * noise**2))
    return math.sqrt(max(0.0, middle - apart)), math.sqrt(max(0.0, middle + apart))


def mean_of(parts: Sequence[SampledMean]) -> SampledMean:
    """The unweighted mean of independent means."""
    weights = np.concatenate([part.weights for part in parts]) / len(parts)
    return SampledMean(
        weights,
        np.concatenate([part.means for part in parts]),
        np.concatenate([part.units for part in parts]),
        np.concatenate([part.squares for part in parts]),
        np.concatenate([part.freedom for part in parts]),
    )
