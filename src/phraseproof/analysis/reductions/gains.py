"""Gains of accuracy, with intervals over examples, wordings and training seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.distributions import t_quantile

CONFIDENCE = 0.95


class Variance(NamedTuple):
    """A variance with its degrees of freedom."""

    value: float
    degrees_of_freedom: float


NOTHING = Variance(0.0, 1.0)


class Gain(NamedTuple):
    """An accuracy or a difference of accuracies with its interval.

    Attributes:
        over_examples, over_wordings: two parts of its variance.
        of_seeds: the estimate of every training seed; their variance is the third part. One estimate without training.
    """

    estimate: float
    low: float
    high: float
    over_examples: Variance
    over_wordings: Variance
    of_seeds: tuple[float, ...] = ()

    @property
    def over_seeds(self) -> Variance:
        """The variance of the mean over seeds; nothing with one seed, whose effect is then unknown."""
        return seed_variance(self.of_seeds)

    @property
    def in_points(self) -> str:
        """`+2.1 points (+0.4 to +3.8)`."""
        return f"{100 * self.estimate:+.1f} points ({100 * self.low:+.1f} to {100 * self.high:+.1f})"


def seed_variance(of_seeds: Sequence[float]) -> Variance:
    """The variance of the mean of the estimates of training seeds."""
    count = len(of_seeds)
    return Variance(float(np.var(of_seeds, ddof=1)) / count, count - 1) if count > 1 else NOTHING


def gain_of(
    of_seeds: Sequence[float], over_examples: Variance, over_wordings: Variance, level: float, *, least: float = -1.0
) -> Gain:
    """The mean over seeds with Student's t, with the degrees of freedom of Satterthwaite.

    The variances add up as in the crossed bootstrap (Owen 2007). Each holds the interactions with the others, so the
    sum is slightly too large.

    Args:
        of_seeds: the estimate of every training seed, at least one.
        over_examples, over_wordings: the variances of the mean.
        level: of the interval, from 0 to 1.
        least: the lowest value that the estimate can have.
    """
    estimate = float(np.mean(of_seeds))
    parts = [part for part in (over_examples, over_wordings, seed_variance(of_seeds)) if part.value > 0]
    if not parts:
        return Gain(estimate, estimate, estimate, over_examples, over_wordings, tuple(of_seeds))
    total = sum(part.value for part in parts)
    freedom = total**2 / sum(part.value**2 / part.degrees_of_freedom for part in parts)
    reach = t_quantile((1 + level) / 2, freedom) * math.sqrt(total)
    low, high = max(least, estimate - reach), min(1.0, estimate + reach)
    return Gain(estimate, low, high, over_examples, over_wordings, tuple(of_seeds))


def at_level(gain: Gain, level: float) -> Gain:
    """The same gain with an interval of another level."""
    return gain_of(gain.of_seeds, gain.over_examples, gain.over_wordings, level)


def weighted_gain(
    gains: Sequence[Gain],
    weights: Sequence[float],
    level: float,
    *,
    wordings: Sequence[frozenset[str]],
    least: float = -1.0,
) -> Gain:
    """The weighted mean over tasks.

    Different tasks have different examples, whose variances add up. Wordings that tasks share are the same draw: the
    correlation of two tasks is at most r = |A and B| / sqrt(|A| |B|), and counts as this. So the Stds over wordings
    add up for tasks with the same wordings, and the variances for tasks that share none. All tasks are answered by the
    same trained models, so seeds are averaged over tasks first.

    Args:
        gains: of the tasks.
        weights: of the tasks, which sum to 1.
        level: of the interval.
        wordings: of each task the names of its wordings.
        least: the lowest value that the mean can have.
    """
    both = list(zip(weights, gains, strict=True))
    examples = [Variance(w**2 * g.over_examples.value, g.over_examples.degrees_of_freedom) for w, g in both]
    total = sum(part.value for part in examples)
    freedom = total**2 / sum(part.value**2 / part.degrees_of_freedom for part in examples) if total else 1.0
    of_seeds = [
        sum(w * value for w, value in zip(weights, values, strict=True))
        for values in zip(*(g.of_seeds for g in gains), strict=True)
    ]
    shared = _shared_variance([w * math.sqrt(g.over_wordings.value) for w, g in both], gains, wordings)
    return gain_of(of_seeds, Variance(total, freedom), shared, level, least=least)


def _shared_variance(stds: Sequence[float], gains: Sequence[Gain], wordings: Sequence[frozenset[str]]) -> Variance:
    """The variance over wordings of a sum with these Stds, with Satterthwaite's degrees of freedom."""
    sizes = np.array([len(names) for names in wordings])
    common = np.array([[len(one & other) for other in wordings] for one in wordings])
    correlation = common / np.sqrt(np.outer(sizes, sizes))
    parts = np.array(stds) * (correlation @ np.array(stds))  # of each task, what it and what it shares add
    total = float(parts.sum())
    if not total:
        return NOTHING
    scaled = parts / np.sqrt([g.over_wordings.degrees_of_freedom for g in gains])
    return Variance(total, total**2 / float(scaled @ correlation @ scaled))
