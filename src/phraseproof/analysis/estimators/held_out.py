"""Means and gains over examples that a choice or a fit did not see, with intervals over examples.

Cross-fitting judges each example with what was fitted on the other folds. The mean of the scores estimates the accuracy
of what was fitted, averaged over folds, not of what is fitted on all examples, which is usually a little better.

Its variance is that of the scores over their number where the fit is stable (Bayle et al. 2020, "Cross-validation
confidence intervals for test error", arXiv 2007.12671). A choice between equally good things is not stable: an example
that is in one fold decides what another fold is judged with. So the jackknife repeats the cross-fitting without each
fold in turn, and the larger of the two variances counts.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from phraseproof.analysis.distributions import normal_quantile, t_quantile, t_sf
from phraseproof.analysis.estimators.extremes import wilson
from phraseproof.analysis.estimators.resampling import CONFIDENCE
from phraseproof.analysis.grids import Floats
from phraseproof.core import Finding


def fold_variance(left_out: Floats) -> float:
    """The jackknife's variance of a cross-fitted mean, from the means without each fold [F]."""
    return (len(left_out) - 1) * float(left_out.var())


def mean_score(name: str, scores: Floats, *, jackknife: float = 0.0, method: str = "over examples") -> Finding:
    """The mean of scores between 0 and 1 [E], with Wilson's interval for the effective number of answers.

    Args:
        jackknife: the variance of the mean by `fold_variance`; it counts where it is larger than that of the scores.
        method: what the interval is over.
    """
    value, count = float(scores.mean()), len(scores)
    variance = max(float(scores.var(ddof=1)) / count, jackknife)
    inside = min(max(value, 0.0), 1.0)
    apart = inside * (1.0 - inside)
    effective = apart / variance if apart > 0 and variance > 0 else float(count)
    low, high = wilson(inside, effective, normal_quantile((1 + CONFIDENCE) / 2))
    return Finding(name, value, count, f"Wilson's interval {method}", max(0.0, float(low)), min(1.0, float(high)))


def mean_gain(name: str, gains: Floats, *, jackknife: float = 0.0, method: str = "over examples") -> Finding:
    """The mean difference of two scores of each example [E], both between 0 and 1, with interval and p-value.

    The interval is Student's with two more observations, one gain and one loss as large as the largest of the data
    (Bonett and Price 2012, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired
    data"): without them it is too short where only a few examples differ, and a point where none does.

    Args:
        jackknife, method: as in `mean_score`.
    """
    value, count = float(gains.mean()), len(gains)
    largest = float(np.abs(gains).max()) or 1.0
    centre = float(gains.sum()) / (count + 2)
    squares = float(np.square(gains - centre).sum()) + 2 * largest**2 + 2 * centre**2
    error = math.sqrt(max(squares / (count + 1) / (count + 2), jackknife))
    freedom = count + 1
    reach = t_quantile((1 + CONFIDENCE) / 2, freedom) * error
    low, high = max(-1.0, centre - reach), min(1.0, centre + reach)
    p_value = min(1.0, 2 * t_sf(abs(centre) / error, freedom))
    return Finding(name, value, count, f"paired, Bonett and Price's interval {method}",
                   min(low, value), max(high, value), p_value, error, freedom)  # fmt: skip


def of_one_choice(mean: Finding, lowest: Finding, highest: Finding) -> Finding:
    """A mean over random choices, with an interval for one of them.

    Args:
        mean: over all choices.
        lowest, highest: of the choices at the 2.5% and the 97.5% quantile. What these are on other examples bounds the
            interval. There is no p-value, because the choice is not repeated.
    """
    return replace(mean, low=lowest.low, high=highest.high, p_value=None, standard_error=None, degrees_of_freedom=None)
