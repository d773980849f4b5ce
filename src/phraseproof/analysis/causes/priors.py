"""The answer prior of each wording: what it adds to an option's log-probability whatever the example.

The prior is the bias without which every class has the mean probability that it deserves (prior matching,
arXiv 2309.04992). Where one answer is right more often than the others, a wording with skill gives it more often
without preferring it; the share that a class deserves is therefore

    (1 - k) * (share by blind guessing) + k * (share among the right answers),

with k the wording's skill: the slope of the regression of its probabilities on the right answers, 0 without and 1 with
perfect skill, shrunk by its sampling error. Without this correction, skill on unbalanced data looks like a prior.
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


def row_priors(
    logprobs: Floats, credit: Floats, forms: list[Form], examples: Ints, rng: np.random.Generator
) -> list[Floats]:
    """The priors of the rows of each form.

    Args:
        logprobs: [R, E, C], finite where there is an option.
        credit: [E, C] of each option, for the correction where right answers are unevenly distributed.
        forms: of the rows.
        examples: the examples to estimate from.
        rng: chooses some of them where there are many.

    Returns:
        For each form [its rows, K], with mean 0 over the classes.
    """
    chosen = rng.choice(examples, _MOST_FITTED, replace=False) if len(examples) > _MOST_FITTED else examples
    return [
        _priors(logprobs[form.rows][:, chosen], credit[chosen], form.classes[chosen], form.num_classes)
        for form in forms
    ]


def option_priors(priors: list[Floats], forms: list[Form], shape: tuple[int, int, int]) -> Singles:
    """[R, E, C] the prior of each option; 0 where there is none."""
    found = np.zeros(shape, dtype=np.float32)
    for form, of_rows in zip(forms, priors, strict=True):
        found[form.rows] = np.where(form.classes >= 0, of_rows[:, np.maximum(form.classes, 0)], 0.0)
    return found


def evidence_scales(evidence: Floats | Singles, has_option: Flags, credit: Floats) -> Floats:
    """[R] the noise of a row's evidence, in units of which its prior and its skill count.

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
    apart = np.abs(known - advantage[:, None, None] * right)
    return np.maximum(apart.sum(axis=(1, 2)) / has_option.sum(), _LEAST_SIZE)


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
        skill = _skill(without_bias(logprobs, classes, bias), right, classes)[:, None]
        bias = matching_bias(logprobs, classes, count, (1 - skill) * guessing + skill * deserved, start=bias)
    return bias


def _skill(logprobs: Floats, right: Floats, classes: Ints) -> Floats:
    """[R] the slope of probabilities on right answers, within classes; shrunk by its error, and between 0 and 1."""
    is_option = classes >= 0
    places = np.arange(len(classes))[:, None], np.maximum(classes, 0)
    given = np.where(is_option, (right - right.mean(axis=0))[places], 0.0)
    spread = np.sum(given**2)
    if spread < _LEAST_VARIANCE:
        return np.zeros(len(logprobs))
    found = np.where(is_option, np.exp(logprobs), 0.0)
    found = found - found.mean(axis=1, keepdims=True)
    slope = np.einsum("rec,ec->r", found, given) / spread
    rest = np.einsum("rec,ec->re", found - slope[:, None, None] * given, given)
    error = np.sum(rest**2, axis=1) / spread**2
    kept = np.maximum(0.0, 1 - error / np.maximum(slope**2, _LEAST_VARIANCE))
    return np.clip(slope * kept, 0.0, 1.0)


def _right_classes(credit: Floats, classes: Ints, count: int) -> Floats:
    """[E, K] the share of each class among an example's right answers; blind guessing where none is right."""
    total = credit.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, credit / np.where(total > 0, total, 1.0), np.exp(_blind(classes)))
    right = np.zeros((len(classes), count))
    for examples, columns in _columns(classes):
        right[examples, classes[examples, columns]] = shares[examples, columns]
    return right


def _columns(classes: Ints) -> Iterator[tuple[Ints, int]]:
    """For each place among the options the examples that have one there."""
    for column in range(classes.shape[1]):
        yield np.flatnonzero(classes[:, column] != NO_CLASS), column


def _blind(classes: Ints) -> Floats:
    """[E, C] logs of equal shares of an example's options."""
    is_option = classes >= 0
    return np.where(is_option, -np.log(np.maximum(is_option.sum(axis=1, keepdims=True), 1)), -np.inf)
