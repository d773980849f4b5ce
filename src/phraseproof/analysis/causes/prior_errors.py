"""What the sampling error of priors does to the effects of prior and skill.

Effects are made with estimated priors. When a block of examples counts more, priors move, and with them the
counterfactual answers of all examples. This is the second way in which a block moves an effect, next to the answers of
its own examples; a bootstrap that keeps the priors lacks it. To first order it is

    the change of accuracy with each class's prior * the change of that prior with the block,

and the first factor is the credit that is gained or lost in examples whose two best options are closer to each other
than the error of their priors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from phraseproof.analysis.causes.counterfactual import Effects, Evidence, additive
from phraseproof.analysis.causes.priors import Form
from phraseproof.analysis.causes.rows import Singles
from phraseproof.analysis.grids import Floats, Ints

_MOST_REFERENCES = 12
_MOST_OUTCOMES = 1 << 18
"""Rows times examples from which a change of accuracy is estimated; its own error is of second order."""

_LEAST_WIDTH = 0.1
"""In units of noise: options that differ by less count as close, also where priors have a smaller error."""


class Moves(NamedTuple):
    """How what counterfactual answers are made from changes for each time more that a block of examples counts.

    Attributes:
        priors: for each form [G, its rows, K], in units of the row's noise.
        scales: [G, R] the noise of each row, in logs.
    """

    priors: list[Floats]
    scales: Floats


class _Rows(NamedTuple):
    """Rows of all forms, with as many classes as the form that has most.

    Attributes:
        classes: [F, E, C] of each form.
        form: [R] of each row.
        priors: [R, K] in units of the row's noise.
        moves: [G, R, K]
        scales: [G, R]
        widths: [R] the error of a difference of two priors.
    """

    classes: Ints
    form: Ints
    priors: Floats
    moves: Floats
    scales: Floats
    widths: Floats


class _Pairs(NamedTuple):
    """The change of the accuracy of R pairs of evidence and prior, by the form of each of the two.

    Attributes:
        of_prior, of_evidence: [R, K] for a unit more of the prior, and for a unit more of the bias in the evidence.
    """

    of_prior: Floats
    of_evidence: Floats


def moved_effects(
    evidence: Evidence, forms: list[Form], priors: list[Floats], moves: Moves, reference: Ints, rng: np.random.Generator
) -> Effects:
    """By how much each block moves the mean effects of all rows through the priors, for each time more that it counts.

    Args:
        evidence: of all rows, and some examples.
        forms: of the rows, and the same examples.
        priors: for each form [its rows, K], in units of the row's noise.
        moves: of G blocks.
        reference: as for `effects`.
        rng: chooses from many examples.
    """
    limit = max(1, _MOST_OUTCOMES // len(evidence.is_read))
    examples = evidence.credits.shape[1]
    if examples > limit:
        chosen = rng.choice(examples, limit, replace=False)
        evidence = evidence.take(chosen)
        forms = [Form(form.rows, form.classes[chosen], form.num_classes) for form in forms]
    rows = _rows(forms, priors, moves)
    every = np.linspace(0, len(reference) - 1, min(len(reference), _MOST_REFERENCES)).astype(np.intp)
    reference = reference[every]
    with_priors = np.empty((*rows.scales.shape, len(reference)), dtype=np.float32)
    of_priors = np.empty_like(with_priors)
    for place, row in enumerate(reference):
        one = slice(row, row + 1)
        with_priors[:, :, place] = _moved(evidence, rows, slice(None), one)
        of_priors[:, :, place] = _moved(evidence, rows, one, slice(None))
    return additive(with_priors, of_priors, reference)


def _rows(forms: list[Form], priors: list[Floats], moves: Moves) -> _Rows:
    groups, rows = moves.scales.shape
    count = max(form.num_classes for form in forms)
    found = _Rows(
        np.stack([form.classes for form in forms]),
        np.zeros(rows, dtype=np.intp),
        np.zeros((rows, count)),
        np.zeros((groups, rows, count)),
        moves.scales,
        np.zeros(rows),
    )
    for number, (form, of_rows, moved) in enumerate(zip(forms, priors, moves.priors, strict=True)):
        found.form[form.rows] = number
        found.priors[form.rows, : form.num_classes] = of_rows
        found.moves[:, form.rows, : form.num_classes] = moved
        # Twice the mean variance of a prior, which has mean 0 over the classes.
        found.widths[form.rows] = np.sqrt(2 * np.sum(moved**2, axis=(0, 2)) / max(form.num_classes - 1, 1))
    return found


def _moved(evidence: Evidence, rows: _Rows, of: slice, prior: slice) -> Floats:
    """[G, R] by how much each block moves the accuracies of pairs, one part of which is a single row."""
    pairs = _changes(evidence, rows, of, prior)
    found = np.einsum("grk,rk->gr", rows.moves[:, prior], pairs.of_prior)
    found -= np.einsum("grk,rk->gr", rows.moves[:, of], pairs.of_evidence)
    # More noise in the evidence counts as a larger prior, and more noise next to the prior as a smaller one.
    by_size = np.sum(pairs.of_prior * rows.priors[prior], axis=1)
    return found + by_size * (rows.scales[:, of] - rows.scales[:, prior])


def _changes(evidence: Evidence, rows: _Rows, of: slice, prior: slice) -> _Pairs:
    values = evidence.free[:, of] + evidence.priors[:, prior]
    number, examples = values.shape[1:]
    highest, next_highest = _two_highest(values)
    widths = np.maximum(np.sqrt(rows.widths[of] ** 2 + rows.widths[prior] ** 2), _LEAST_WIDTH).astype(np.float32)
    is_close = highest - next_highest < widths[:, None]
    is_close &= evidence.is_read[of] > 0
    row, example = np.nonzero(is_close)
    close = values[:, row, example]
    first = close.argmax(axis=0)
    close[first, np.arange(len(row))] = -np.inf
    places = (first, close.argmax(axis=0))
    lost, gained = (evidence.credits[place, example] for place in places)
    change = (gained - lost) / (2 * widths[row] * examples)
    return _Pairs(*(_by_class(rows, part, number, row, example, places, change) for part in (prior, of)))


def _two_highest(values: Singles) -> tuple[Singles, Singles]:
    """[R, E] the highest of the values [C, R, E] of each pair and example, and the next one, which may be equal.

    With a single option the next one is minus infinity.
    """
    if len(values) == 1:
        return values[0], np.full_like(values[0], -np.inf)
    first, second = np.maximum(values[0], values[1]), np.minimum(values[0], values[1])
    for value in values[2:]:
        second = np.maximum(second, np.minimum(first, value))
        first = np.maximum(first, value)
    return first, second


def _by_class(
    rows: _Rows, part: slice, number: int, row: Ints, example: Ints, places: tuple[Ints, Ints], change: Floats
) -> Floats:
    """[R, K] the changes of each pair by the classes that they are due to: up with the second, down with the first.

    Args:
        rows: all rows.
        part: those whose forms say what a class is: one for all pairs, or one for each.
        number: R, of pairs.
        row, example, places, change: [N] of each change its pair, example, first and second option, and size.
    """
    count = rows.priors.shape[1]
    forms = np.broadcast_to(rows.form[part], number)[row]
    found = np.zeros((number, count))
    for place, sign in zip(places, (-1, 1), strict=True):
        where = row * count + rows.classes[forms, example, place]
        found += sign * np.bincount(where, change, number * count).reshape(number, count)
    return found
