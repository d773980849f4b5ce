"""The answer prior of each wording: what it adds to an option's log-probability whatever the example.

The prior is the bias without which every class has the mean probability that it deserves (prior matching,
arXiv 2309.04992). Where one answer is right more often than the others, a wording with skill gives it more often
without preferring it; the share that a class deserves is therefore

    (1 - k) * (share by blind guessing) + k * (share among the right answers),

with k the wording's skill: the slope of the regression of its probabilities on the right answers, 0 without and 1 with
perfect skill; below 0 where wrong options are preferred. Without this correction, skill on unbalanced data looks like a
prior. The slope is not shrunk towards 0: what is left of a weak skill would look like a prior as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.causes.rows import Singles
from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import NO_CLASS, Flags, OptionValues
from phraseproof.calibration.bias import class_shares, matching_bias, without_bias

_FLOOR = -60.0
"""Log-probabilities below count as this: nothing is known of such an option but that it is never chosen."""

_MOST_FITTED = 1000
"""Examples that a prior is estimated from, at most: its sampling error is small then, next to that of the accuracy."""

_ROUNDS = 4
_LEAST_SIZE = 1e-6
_LEAST_VARIANCE = 1e-12


class Form(NamedTuple):
    """Rows of a task whose options have the same classes: the same answer form.

    Attributes:
        rows: their indices.
        classes: [E, C].
        num_classes: K.
    """

    rows: Ints
    classes: Ints
    num_classes: int


def answer_forms(of: OptionValues) -> list[Form]:
    """The rows of a task by answer form: letters and texts of labels are two forms."""
    found: dict[tuple[tuple[str, ...], bytes], list[int]] = {}
    for row, names in enumerate(of.class_names):
        found.setdefault((names, of.classes[row].tobytes()), []).append(row)
    return [Form(np.array(rows), of.classes[rows[0]], len(names)) for (names, _), rows in found.items()]


def finite_logprobs(of: OptionValues) -> Floats:
    """[R, E, C] log-probabilities that are finite wherever there is an option, and minus infinity elsewhere."""
    return np.where(of.has_option, np.maximum(of.logprobs, _FLOOR), -np.inf)


def fitted_examples(examples: Ints, rng: np.random.Generator) -> Ints:
    """The examples that priors are estimated from: some of them where there are many."""
    return rng.choice(examples, _MOST_FITTED, replace=False) if len(examples) > _MOST_FITTED else examples


def row_priors(logprobs: Floats, credit: Floats, forms: list[Form], examples: Ints) -> list[Floats]:
    """The priors of the rows of each form.

    Args:
        logprobs: [R, E, C], finite where there is an option.
        credit: [E, C] of each option, for the correction where right answers are unevenly distributed.
        forms: of the rows.
        examples: the examples to estimate from.

    Returns:
        For each form [its rows, K], with mean 0 over the classes.
    """
    return [
        _priors(logprobs[form.rows][:, examples], credit[examples], form.classes[examples], form.num_classes)
        for form in forms
    ]


def prior_influences(
    logprobs: Floats,
    credit: Floats,
    forms: list[Form],
    examples: Ints,
    priors: list[Floats],
    block_of: Ints,
    blocks: int,
) -> list[Floats]:
    """How the priors follow the examples: the change of each prior for each time more that a block of examples counts.

    These are the influences of the infinitesimal jackknife (Jaeckel 1972): one step of Newton's method from the fitted
    priors, for the weights of every block. With the free probabilities p of an example's classes, the shares g of blind
    guessing and r among its right answers, priors solve sum of weight * (p - (1 - k) * g - k * r) = 0 for every class,
    in which the skill k itself depends on weights and priors.

    Args:
        logprobs, credit, forms, examples: as for `row_priors`.
        priors: what it returned.
        block_of: [E'] the block of each of `examples`, from 0.
        blocks: G.

    Returns:
        For each form [G, its rows, K].
    """
    is_in = np.zeros((blocks, len(examples)))
    is_in[block_of, np.arange(len(examples))] = 1
    return [
        _influences(
            without_bias(logprobs[form.rows][:, examples], form.classes[examples], bias),
            _right_classes(credit[examples], form.classes[examples], form.num_classes),
            form.classes[examples],
            is_in,
        )
        for form, bias in zip(forms, priors, strict=True)
    ]


def option_priors(priors: list[Floats], forms: list[Form], shape: tuple[int, int, int]) -> Singles:
    """[R, E, C] the prior of each option; 0 where there is none."""
    found = np.zeros(shape, dtype=np.float32)
    for form, of_rows in zip(forms, priors, strict=True):
        found[form.rows] = np.where(form.classes >= 0, of_rows[:, np.maximum(form.classes, 0)], 0.0)
    return found


def evidence_noise(evidence: Floats | Singles, has_option: Flags, credit: Floats) -> Floats:
    """[R, E] the noise of a row's evidence, summed over options; its mean is the unit of the row's prior and skill.

    As in signal detection theory, a prior moves answers by its size relative to the noise of the evidence, and skill is
    the distance of right from wrong options in the same unit; a wording whose log-probabilities are all twice as large
    answers the same. The noise is the mean absolute deviation of prior-free log-probabilities from an example's mean,
    after the mean advantage of right options is subtracted.

    Args:
        evidence: [R, E, C] prior-free log-probabilities.
        has_option: [E, C]
        credit: [E, C] of each option.
    """
    number = has_option.sum(axis=-1, keepdims=True)
    known = np.where(has_option, evidence, 0.0)
    known = np.where(has_option, known - known.sum(axis=-1, keepdims=True) / number, 0.0)
    right = np.where(has_option, credit - credit.sum(axis=-1, keepdims=True) / number, 0.0)
    advantage = np.einsum("rec,ec->r", known, right) / max(float(np.sum(right**2)), _LEAST_SIZE)
    return np.abs(known - advantage[:, None, None] * right).sum(axis=-1)


def noise_scales(noise: Floats, has_option: Flags) -> Floats:
    """[R] the mean of `evidence_noise` over the options of all examples."""
    return np.maximum(noise.sum(axis=1) / has_option.sum(), _LEAST_SIZE)


def _priors(logprobs: Floats, credit: Floats, classes: Ints, count: int) -> Floats:
    right = _right_classes(credit, classes, count)
    guessing = class_shares(_blind(classes), classes, count)
    # Over the examples that have the class, as the shares of `matching_bias`.
    has_class = np.zeros((len(classes), count), dtype=bool)
    for examples, columns in _columns(classes):
        has_class[examples, classes[examples, columns]] = True
    deserved = right.sum(axis=0) / np.maximum(has_class.sum(axis=0), 1)
    bias = matching_bias(logprobs, classes, count)
    if np.abs(deserved - guessing).max() < 1e-3:
        return bias
    for _ in range(_ROUNDS):
        skill = _Slopes.of(np.exp(without_bias(logprobs, classes, bias)), right, classes).skill[:, None]
        bias = matching_bias(logprobs, classes, count, (1 - skill) * guessing + skill * deserved, start=bias)
    return bias


class _Slopes(NamedTuple):
    """Regressions of the probabilities of R rows on right answers, within classes.

    Attributes:
        given: [E, C] whether an option is right, less the mean of its class.
        slope: [R]
        influence: [R, E] the change of the slope for each time more that an example counts.
    """

    given: Floats
    slope: Floats
    influence: Floats

    @classmethod
    def of(cls, probabilities: Floats, right: Floats, classes: Ints) -> _Slopes:
        is_option = classes >= 0
        places = np.arange(len(classes))[:, None], np.maximum(classes, 0)
        given = np.where(is_option, (right - right.mean(axis=0))[places], 0.0)
        spread = np.sum(given**2)
        if spread < _LEAST_VARIANCE:
            none = np.zeros(probabilities.shape[:2])
            return cls(given, none[:, 0], none)
        found = np.where(is_option, probabilities, 0.0)
        found = found - found.mean(axis=1, keepdims=True)
        slope = np.einsum("rec,ec->r", found, given) / spread
        rest = np.einsum("rec,ec->re", found - slope[:, None, None] * given, given)
        return cls(given, slope, rest / spread)

    @property
    def skill(self) -> Floats:
        """[R] the slopes, within what probabilities can have: 1 if only right options have any, and none of them."""
        return np.clip(self.slope, self.least, 1.0)

    @property
    def least(self) -> float:
        return -1.0 / max(1, self.given.shape[1] - 1)

    def by_bias(self, probabilities: Floats) -> Floats:
        """[R, E, C] the change of the slope with the bias of each option."""
        mean = np.einsum("rec,ec->re", probabilities, self.given)[..., None]
        return -probabilities * (self.given - mean) / max(float(np.sum(self.given**2)), _LEAST_VARIANCE)


def _influences(free: Floats, right: Floats, classes: Ints, is_in: Floats) -> Floats:
    """[G, R, K] for one form, of free log-probabilities [R, E, C]."""
    count = right.shape[1]
    probabilities = np.exp(free)
    shares = _in_classes(probabilities, classes, count)
    guessing = _in_classes(np.exp(_blind(classes)), classes, count)
    slopes = _Slopes.of(probabilities, right, classes)
    skill = slopes.skill[:, None, None]
    is_free = (slopes.skill == slopes.slope)[:, None]
    sums = shares.sum(axis=1)
    uneven = _among_known((guessing - right).sum(axis=0), sums)
    residual = _among_known((is_in @ (shares - (1 - skill) * guessing - skill * right)).swapaxes(0, 1), sums)
    residual += (is_free * (slopes.influence @ is_in.T)).T[..., None] * uneven
    by_bias = is_free * _in_classes(slopes.by_bias(probabilities), classes, count).sum(axis=1)
    curvature = sums[:, :, None] * np.eye(count) - shares.swapaxes(1, 2) @ shares
    scale = np.maximum(np.trace(curvature, axis1=1, axis2=2), _LEAST_SIZE)[:, None, None] / count
    # A bias that is the same for all classes changes nothing: the matrix gets full rank in that direction.
    whole = curvature - uneven[:, :, None] * by_bias[:, None, :] + scale * (1 / count + 1e-6 * np.eye(count))
    found = np.linalg.solve(whole, residual.transpose(1, 2, 0)).transpose(2, 0, 1)
    return found - found.mean(axis=2, keepdims=True)


def _among_known(values: Floats, sums: Floats) -> Floats:
    """[..., R, K] values without the classes that a row rules out everywhere, the priors of which are kept.

    What such a class lacks, the others share, in proportion to their sums of probabilities [R, K].
    """
    known = np.where(sums > _LEAST_SIZE, sums, 0.0)
    left = np.where(known > 0, values, 0.0)
    return left - left.sum(axis=-1, keepdims=True) * known / np.maximum(known.sum(axis=-1, keepdims=True), _LEAST_SIZE)


def _right_classes(credit: Floats, classes: Ints, count: int) -> Floats:
    """[E, K] the share of each class among an example's right answers; blind guessing where none is right."""
    total = credit.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, credit / np.where(total > 0, total, 1.0), np.exp(_blind(classes)))
    return _in_classes(shares, classes, count)


def _in_classes(values: Floats, classes: Ints, count: int) -> Floats:
    """[..., E, K] values [..., E, C] of options in the order of their classes; 0 for a class that an example lacks."""
    found = np.zeros((*values.shape[:-1], count))
    for examples, columns in _columns(classes):
        found[..., examples, classes[examples, columns]] = values[..., examples, columns]
    return found


def _columns(classes: Ints) -> Iterator[tuple[Ints, int]]:
    """For each place among the options the examples that have one there."""
    for column in range(classes.shape[1]):
        yield np.flatnonzero(classes[:, column] != NO_CLASS), column


def _blind(classes: Ints) -> Floats:
    """[E, C] logs of equal shares of an example's options."""
    is_option = classes >= 0
    return np.where(is_option, -np.log(np.maximum(is_option.sum(axis=1, keepdims=True), 1)), -np.inf)
