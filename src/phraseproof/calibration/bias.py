"""What a model prefers whatever the example, as one number per class, estimated from log-probabilities without labels.

Arrays: `logprobs` [..., E, C] are natural logs of the options' probabilities, which add up to 1 in every example, with
minus infinity where an example has no such option; `classes` [E, C] are the options' classes, below 0 where there is no
option. A bias [..., K] is in natural logs, has mean 0 over the classes, and is subtracted from log-probabilities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Ints: TypeAlias = "np.ndarray[Any, np.dtype[np.intp]]"

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_SHARE = 1e-12
_MOST_STEPS = 500
_TOLERANCE = 1e-9


def class_shares(logprobs: Floats, classes: Ints, count: int) -> Floats:
    """[..., K] the mean probability of each class, over the examples that have it; 0 for a class that none has.

    Args:
        logprobs: [..., E, C].
        classes: [E, C].
        count: K, the number of classes.
    """
    of_class, has_class = _by_class(np.exp(logprobs), classes, count)
    number = has_class.sum(axis=-2)
    return of_class.sum(axis=-2) / np.maximum(number, 1)


def batch_bias(logprobs: Floats, classes: Ints, count: int) -> Floats:
    """Batch calibration (Zhou et al. 2023, arXiv 2309.17249): the log of each class's mean probability over a batch.

    Args:
        logprobs: [..., E, C] of the batch.
        classes: [E, C].
        count: K, the number of classes.

    Returns:
        [..., K]
    """
    return centred(np.log(np.maximum(class_shares(logprobs, classes, count), _LEAST_SHARE)))


def matching_bias(logprobs: Floats, classes: Ints, count: int, shares: Floats | None = None) -> Floats:
    """Prior matching (Liusie et al. 2023, arXiv 2309.04992): the bias without which every class has a given mean share.

    Unlike `batch_bias`, which is its first step, this holds also for a model that is sure of its answers.

    Args:
        logprobs: [..., E, C].
        classes: [E, C].
        count: K, the number of classes.
        shares: [K] the mean probability that each class shall have; by default what blind guessing gives.

    Returns:
        [..., K]
    """
    has_option = classes >= 0
    guessing = np.where(has_option, -np.log(np.maximum(has_option.sum(axis=-1, keepdims=True), 1)), -np.inf)
    wanted = class_shares(guessing, classes, count) if shares is None else shares
    wanted = np.log(np.maximum(wanted, _LEAST_SHARE))
    bias = np.zeros((*logprobs.shape[:-2], count))
    for _ in range(_MOST_STEPS):
        found = class_shares(without_bias(logprobs, classes, bias), classes, count)
        step = centred(np.log(np.maximum(found, _LEAST_SHARE)) - wanted)
        bias = bias + step
        if np.abs(step).max(initial=0.0) < _TOLERANCE:
            break
    return bias


def without_bias(logprobs: Floats, classes: Ints, bias: Floats) -> Floats:
    """[..., E, C] the log-probabilities less the bias [..., K] of each option's class; they add up to 1 again."""
    shifted = logprobs - _of_options(bias, classes)
    highest = shifted.max(axis=-1, keepdims=True)
    return shifted - highest - np.log(np.exp(shifted - highest).sum(axis=-1, keepdims=True))


def centred(bias: Floats) -> Floats:
    """The same bias with mean 0 over the classes, which changes no choice."""
    return bias - bias.mean(axis=-1, keepdims=True)


def _of_options(bias: Floats, classes: Ints) -> Floats:
    """[..., E, C] each option's bias; 0 where there is no option."""
    return np.where(classes >= 0, bias[..., np.maximum(classes, 0)], 0.0)


def _by_class(values: Floats, classes: Ints, count: int) -> tuple[Floats, NDArray[np.bool_]]:
    """[..., E, K] the values in the order of the classes, and [E, K] which classes each example has."""
    examples, options = classes.shape
    if options == count and (classes == np.arange(count)).all():
        return values, np.ones((examples, count), dtype=bool)
    has_class = np.zeros((examples, count), dtype=bool)
    rows, columns = np.nonzero(classes >= 0)
    has_class[rows, classes[rows, columns]] = True
    ordered = np.zeros((*values.shape[:-2], examples, count))
    ordered[..., rows, classes[rows, columns]] = values[..., rows, columns]
    return ordered, has_class
