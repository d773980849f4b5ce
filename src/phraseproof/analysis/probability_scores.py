"""How good the probabilities of options are, not only which option is the most probable one.

Probabilities are shares among the options of an example. The right option is the one with the highest credit.
Arrays: `logprobs` [..., E, C] natural logs of probabilities that add up to 1 in every example, minus infinity where
there is no option; `targets` [E] the right options.
"""

from __future__ import annotations

import numpy as np

from phraseproof.analysis.grids import Floats, Ints

BINS = 15
"""As in Guo et al. 2017."""

# scikit-learn's log_loss clips probabilities in the same way: an option of probability 0 costs 36 nats, not infinity.
_LEAST_LOG = float(np.log(np.finfo(np.float64).eps))


def brier_scores(logprobs: Floats, targets: Ints) -> Floats:
    """[..., E] the squared distance between the probabilities and the right answer, summed over options: from 0 to 2.

    Brier 1950, "Verification of forecasts expressed in terms of probability". Uniform probabilities over C options
    have 1 - 1/C. Of two options it is twice what the formula with one probability gives.
    """
    probabilities = np.exp(logprobs)
    right = _of_targets(probabilities, targets)
    return np.square(probabilities).sum(axis=-1) - 2 * right + 1


def log_losses(logprobs: Floats, targets: Ints) -> Floats:
    """[..., E] minus the log-probability of the right option, in nats; at most 36.04, as in scikit-learn."""
    return -np.maximum(_of_targets(logprobs, targets), _LEAST_LOG)


def confidences(logprobs: Floats) -> Floats:
    """[..., E] the probability of the most probable option."""
    return np.exp(logprobs.max(axis=-1))


def equal_width_bins(confidence: Floats, bins: int = BINS) -> Ints:
    """[...] the bin of each confidence, of equal width: bin b holds those above b / bins, up to (b + 1) / bins."""
    return np.clip(np.ceil(confidence * bins).astype(np.intp) - 1, 0, bins - 1)


def equal_mass_bins(confidence: Floats, bins: int = BINS) -> Ints:
    """[..., E] the bin of each confidence, with equally many examples per bin, in the order of the confidences."""
    order = np.argsort(confidence, axis=-1, kind="stable")
    ranks = np.empty_like(order)
    places = np.broadcast_to(np.arange(confidence.shape[-1]), order.shape)
    np.put_along_axis(ranks, order, places, axis=-1)
    return ranks * bins // confidence.shape[-1]


def calibration_error(confidence: Floats, scores: Floats, bins: Ints, count: int = BINS) -> float:
    """Expected calibration error: the mean distance of confidence and accuracy within bins, weighted by examples.

    Naeini et al. 2015; with `equal_width_bins` that of Guo et al. 2017 (arXiv 1706.04599), with `equal_mass_bins` that
    of Nixon et al. 2019 (arXiv 1904.01685). It is above 0 also for perfectly calibrated probabilities, more so with
    few examples (Roelofs et al. 2022, arXiv 2012.08668).

    Args:
        confidence, scores, bins: [E] the probability of the chosen option, its credit, and the bin.
        count: the number of bins.
    """
    gaps = np.bincount(bins, weights=confidence - scores, minlength=count)
    return float(np.abs(gaps).sum() / len(confidence))


def _of_targets(values: Floats, targets: Ints) -> Floats:
    places = np.broadcast_to(targets[:, None], (*values.shape[:-1], 1))
    return np.take_along_axis(values, places, axis=-1)[..., 0]
