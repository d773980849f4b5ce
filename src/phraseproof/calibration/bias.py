"""What a model prefers whatever the example, as one number per class, estimated from log-probabilities without labels.

Arrays: `logprobs` [..., E, C] are natural logs of the options' probabilities, which add up to 1 in every example, with
minus infinity where an example has no such option; `classes` [E, C] are the options' classes, below 0 where there is no
option. `weights` [..., E] say how much each example counts: 0 leaves it out, which is how folds are made. A bias
[..., K] is in natural logs, has mean 0 over the classes, and is subtracted from log-probabilities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Ints: TypeAlias = "np.ndarray[Any, np.dtype[np.intp]]"

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_SHARE = 1e-12
"""A class whose probability is below this, on the mean or in every example, counts as having this one: it is only known
to be rare."""

_MANY_OPTIONS = 8
"""NumPy adds up to seven numbers one after the other as well, so that sums are equal to the last bit."""

_MOST_STEPS = 500
_TOLERANCE = 1e-9
_ROUNDING = 1e-12
"""Close to the minimum, a step's gain is lost in the rounding of the sums over examples."""


def class_shares(logprobs: Floats, classes: Ints, count: int, weights: Floats | None = None) -> Floats:
    """[..., K] the mean probability of each class, over the examples that have it; 0 for a class that none has.

    Args:
        logprobs: [..., E, C].
        classes: [E, C].
        count: K, the number of classes.
        weights: [..., E] of the examples; all count the same by default.
    """
    of_class, has_class = _by_class(np.exp(logprobs), classes, count, filler=0.0)
    if weights is None:
        return of_class.sum(axis=-2) / np.maximum(has_class.sum(axis=-2), 1)
    number = weights @ has_class.astype(np.float64)
    total = (weights[..., None, :] @ of_class)[..., 0, :]
    return total / np.where(number > 0, number, 1.0)


def batch_bias(logprobs: Floats, classes: Ints, count: int, weights: Floats | None = None) -> Floats:
    """Batch calibration (Zhou et al. 2023, arXiv 2309.17249): the log of each class's mean probability over a batch.

    Args:
        logprobs: [..., E, C] of the batch.
        classes: [E, C].
        count: K, the number of classes.
        weights: [..., E] of the examples.

    Returns:
        [..., K]
    """
    shares = class_shares(logprobs, classes, count, weights)
    is_known = shares > LEAST_SHARE
    is_seen = is_known if is_known.all() else _is_seen(classes, count, weights)
    return _completed(_log(shares), is_known, is_seen)


def matching_bias(
    logprobs: Floats,
    classes: Ints,
    count: int,
    shares: Floats | None = None,
    weights: Floats | None = None,
    start: Floats | None = None,
) -> Floats:
    """Prior matching (Liusie et al. 2023, arXiv 2309.04992): the bias without which every class has a given mean share.

    Unlike `batch_bias`, which is its first step, this holds also for a model that is sure of its answers. The bias is
    the minimum of a convex function: Newton's steps are taken where they lower it, and otherwise steps of generalised
    iterative scaling, which always do.

    Args:
        logprobs: [..., E, C].
        classes: [E, C].
        count: K, the number of classes.
        shares: [K] the mean probability that each class shall have; by default what blind guessing gives.
        weights: [..., E] of the examples.
        start: [..., K] a bias to start from, such as that of nearly the same examples.

    Returns:
        [..., K]
    """
    before = logprobs.shape[:-2]
    examples = logprobs.shape[-2]
    weight = np.ones((*before, examples)) if weights is None else np.broadcast_to(weights, (*before, examples))
    ordered, has_class = _by_class(logprobs, classes, count, filler=-np.inf)
    number = weight @ has_class.astype(np.float64)
    guessing = has_class / np.maximum(has_class.sum(axis=-1, keepdims=True), 1)
    wanted = weight @ guessing if shares is None else number * shares
    found, is_known = _match(
        ordered.reshape(-1, examples, count),
        weight.reshape(-1, examples),
        wanted.reshape(-1, count),
        np.zeros((int(np.prod(before)), count)) if start is None else start.reshape(-1, count),
    )
    rows = (*before, count)
    return _completed(found.reshape(rows), is_known.reshape(rows), number > 0)


def _completed(bias: Floats, is_known: NDArray[np.bool_], is_seen: NDArray[np.bool_]) -> Floats:
    """[..., K] the bias with mean 0, where that of some classes is not known.

    Of a class that all its examples rule out, no more is known than that its probability is below `LEAST_SHARE`. Of a
    class that no example has, nothing is: it is treated as the others are on average.

    Args:
        bias: [..., K].
        is_known: [..., K] whether a class has a bias; the others' is not read.
        is_seen: [..., K] whether an example has the class.
    """
    if is_known.all():
        return centred(bias)
    # Biases are known up to one number for all of them: on the scale of log shares, a rare class has its place.
    bias = bias - log_total(np.where(is_known, bias, -np.inf))
    mean = np.where(is_known, bias, 0.0).sum(axis=-1, keepdims=True) / np.maximum(
        is_known.sum(axis=-1, keepdims=True), 1
    )
    return centred(np.where(is_known, bias, np.where(is_seen, np.log(LEAST_SHARE), mean)))


def _match(logprobs: Floats, weights: Floats, wanted: Floats, start: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """[R, K] the biases without which the weighted sums of the probabilities [R, E, K] are `wanted` [R, K].

    Also [R, K] whether a class has one: at least one example has it and does not rule it out.
    """
    # An example that does not count may have no probability at all, which would give NaN.
    counts = (weights > 0)[..., None]
    # Nothing is known of a class that every example rules out but that it is rare; the others share what is wanted.
    is_known = np.where(counts, logprobs, -np.inf).max(axis=-2, initial=-np.inf) > np.log(LEAST_SHARE)
    known = np.where(is_known, wanted, 0.0)
    wanted = known * (wanted.sum(axis=-1) / np.maximum(known.sum(axis=-1), LEAST_SHARE))[:, None]
    logprobs = np.where(counts, logprobs, 0.0)
    bias = np.where(is_known, start, 0.0)
    at = _Place.of(logprobs, weights, wanted, bias)
    active = np.arange(len(bias))
    for _ in range(_MOST_STEPS):
        if not len(active):
            break
        part = _Part(logprobs[active], weights[active], wanted[active])
        step = at.newton(part.wanted)
        there = part.at(bias[active] + step)
        is_worse = ~(there.objective <= at.objective + _ROUNDING * np.abs(at.objective))
        if is_worse.any():
            worse = np.flatnonzero(is_worse)
            slow = centred(_log(at.sums[worse]) - _log(part.wanted[worse]))
            step[worse] = slow
            there.put(worse, part.take(worse).at(bias[active[worse]] + slow))
        bias[active] += step
        moves = np.abs(step).max(axis=-1) >= _TOLERANCE
        active, at = active[moves], there.take(moves)
    return bias, is_known


class _Part:
    """Some rows of the problem of `_match`."""

    def __init__(self, logprobs: Floats, weights: Floats, wanted: Floats) -> None:
        self.logprobs, self.weights, self.wanted = logprobs, weights, wanted

    def take(self, rows: Ints) -> _Part:
        return _Part(self.logprobs[rows], self.weights[rows], self.wanted[rows])

    def at(self, bias: Floats) -> _Place:
        return _Place.of(self.logprobs, self.weights, self.wanted, bias)


class _Place:
    """The convex function of `_match` at a bias.

    Attributes:
        objective: [R] its value.
        sums: [R, K] the weighted sums of probabilities; the gradient is `wanted - sums`.
        curvature: [R, K, K] the matrix of its second derivatives.
    """

    def __init__(self, objective: Floats, sums: Floats, curvature: Floats) -> None:
        self.objective, self.sums, self.curvature = objective, sums, curvature

    @staticmethod
    def of(logprobs: Floats, weights: Floats, wanted: Floats, bias: Floats) -> _Place:
        shifted = logprobs - bias[:, None, :]
        highest = over_options(np.maximum, shifted)
        shifted -= highest
        shares = np.exp(shifted, out=shifted)
        total = over_options(np.add, shares)
        shares /= total
        logs = (highest + np.log(total))[..., 0]
        weighted = shares * weights[..., None]
        sums = weighted.sum(axis=-2)
        products = weighted.swapaxes(-1, -2) @ shares
        diagonal = sums[..., None] * np.eye(sums.shape[-1])
        return _Place((weights * logs).sum(axis=-1) + (wanted * bias).sum(axis=-1), sums, diagonal - products)

    def newton(self, wanted: Floats) -> Floats:
        """[R, K] Newton's step, with mean 0."""
        count = self.sums.shape[-1]
        scale = np.trace(self.curvature, axis1=-2, axis2=-1)[:, None, None] / count
        # A bias that is the same for all classes changes nothing: the matrix gets full rank in that direction.
        whole = self.curvature + np.maximum(scale, LEAST_SHARE) * (1 / count + 1e-10 * np.eye(count))
        return centred(np.linalg.solve(whole, (self.sums - wanted)[..., None])[..., 0])

    def take(self, rows: NDArray[np.bool_]) -> _Place:
        return _Place(self.objective[rows], self.sums[rows], self.curvature[rows])

    def put(self, rows: Ints, other: _Place) -> None:
        self.objective[rows], self.sums[rows], self.curvature[rows] = other.objective, other.sums, other.curvature


def without_bias(logprobs: Floats, classes: Ints, bias: Floats) -> Floats:
    """[..., E, C] the log-probabilities less the bias [..., K] of each option's class; they add up to 1 again."""
    shifted = logprobs - _of_options(bias, classes)
    return shifted - log_total(shifted)


def log_total(values: Floats) -> Floats:
    """[..., 1] the log of the sum of the exponentials of the values [..., C]; minus infinity where all of them are."""
    highest = over_options(np.maximum, values)
    highest = np.where(np.isneginf(highest), 0.0, highest)
    with np.errstate(divide="ignore"):
        return highest + np.log(over_options(np.add, np.exp(values - highest)))


def over_options(combine: np.ufunc, values: Floats) -> Floats:
    """[..., 1] values [..., C] combined over their last axis: as `combine.reduce`, and faster for few options."""
    if not 0 < values.shape[-1] < _MANY_OPTIONS:
        return combine.reduce(values, axis=-1, keepdims=True)
    found = values[..., :1].copy()
    for option in range(1, values.shape[-1]):
        combine(found, values[..., option : option + 1], out=found)
    return found


def _log(shares: Floats) -> Floats:
    return np.log(np.maximum(shares, LEAST_SHARE))


def centred(bias: Floats) -> Floats:
    """The same bias with mean 0 over the classes, which changes no choice."""
    return bias - bias.mean(axis=-1, keepdims=True)


def _of_options(bias: Floats, classes: Ints) -> Floats:
    """[..., E, C] each option's bias; 0 where there is no option."""
    return np.where(classes >= 0, bias[..., np.maximum(classes, 0)], 0.0)


def _is_seen(classes: Ints, count: int, weights: Floats | None) -> NDArray[np.bool_]:
    """[..., K] whether an example that counts has the class."""
    _, has_class = _by_class(np.zeros(classes.shape), classes, count, filler=0.0)
    number = has_class.sum(axis=-2) if weights is None else weights @ has_class.astype(np.float64)
    return number > 0


def _by_class(values: Floats, classes: Ints, count: int, *, filler: float) -> tuple[Floats, NDArray[np.bool_]]:
    """[..., E, K] the values in the order of the classes, and [E, K] which classes each example has."""
    examples, options = classes.shape
    if options == count and (classes == np.arange(count)).all():
        return values, np.ones((examples, count), dtype=bool)
    has_class = np.zeros((examples, count), dtype=bool)
    rows, columns = np.nonzero(classes >= 0)
    has_class[rows, classes[rows, columns]] = True
    ordered = np.full((*values.shape[:-2], examples, count), filler)
    ordered[..., rows, classes[rows, columns]] = values[..., rows, columns]
    return ordered, has_class
