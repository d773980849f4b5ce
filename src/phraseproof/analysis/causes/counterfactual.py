"""Accuracies of one wording's evidence under another wording's prior, by block of examples.

With z_v the prior-free log-probabilities of wording v and b_w the prior of wording w, T[v, w] is the accuracy of the
answers argmax(z_v + b_w). T[w, w] is the observed accuracy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from phraseproof.analysis.causes.rows import Singles
from phraseproof.analysis.grids import Flags, Floats, Ints

_CHUNK = 1 << 15
"""Outcomes that are computed at once: their arrays fit the processor's cache."""

_STEPS = 12


class Evidence(NamedTuple):
    """What counterfactual answers are made from, for some examples in the order of their blocks.

    Attributes:
        free: [C, R, E] prior-free values (float32); minus infinity where there is no option.
        priors: [C, R, E] what each row's prior adds to them.
        credits: [C, E]
        is_read: [R, E] whether the row has an answer at all, as 0 or 1.
        starts: [G] where each block begins among the examples.
        places: [C, E] the place of each option among an example's options, where the first one here is the only right
            one; `None` where options are in their own order.
    """

    free: Singles
    priors: Singles
    credits: Singles
    is_read: Singles
    starts: Ints
    places: Ints | None = None

    def take(self, examples: Ints) -> Evidence:
        """The same for some examples, as one block."""
        free, priors, credit, is_read = (each[..., examples] for each in self[:4])
        return Evidence(free, priors, credit, is_read, np.array([0]))


class Effects(NamedTuple):
    """The additive model of T, fitted to the pairs of different rows: T[v, w] = mean + skill[v] + prior[w].

    Attributes:
        skill, prior: [G, R] by block; the sums over examples, not means.
    """

    skill: Floats
    prior: Floats


def effects(evidence: Evidence, reference: Ints) -> Effects:
    """The effects of every row's skill and prior on accuracy, from pairs with the rows of `reference`.

    The pairs of a row with itself are left out: by what its own accuracy differs from the sum of its effects is the
    part of the two in combination.

    Args:
        evidence: of all rows.
        reference: [S] at least three different rows, which every row is paired with.
    """
    evidence = _right_first(evidence) or evidence
    rows = evidence.free.shape[1]
    groups = len(evidence.starts)
    is_all = len(reference) == rows
    with_priors = np.empty((groups, rows, len(reference)), dtype=np.float32)
    of_priors = with_priors if is_all else np.empty_like(with_priors)
    for place, row in enumerate(reference):
        with_priors[:, :, place] = _sums(evidence, evidence.free, evidence.priors[:, row : row + 1], evidence.is_read)
        if not is_all:
            own = evidence.is_read[row : row + 1]
            of_priors[:, :, place] = _sums(evidence, evidence.free[:, row : row + 1], evidence.priors, own)
    if is_all:
        order = np.argsort(reference)
        of_priors = with_priors[:, reference][:, :, order].swapaxes(1, 2)
    return additive(with_priors, of_priors, reference)


def _sums(evidence: Evidence, free: Singles, priors: Singles, is_read: Singles) -> Singles:
    """[G, R] the credit, summed by block, of the option with the largest value and prior, the first of equals."""
    examples = evidence.free.shape[2]
    rows = max(free.shape[1], priors.shape[1])
    found = np.empty((rows, len(evidence.starts)), dtype=np.float32)
    step = max(1, _CHUNK // examples)
    for start in range(0, rows, step):
        own = [each[:, start : start + step] if each.shape[1] > 1 else each for each in (free, priors)]
        if evidence.places is None:
            credit = _credits(own[0], own[1], evidence.credits)
        else:
            credit = _is_right(own[0], own[1], evidence.places)
        credit = np.multiply(credit, is_read[start : start + step] if len(is_read) > 1 else is_read, dtype=np.float32)
        found[start : start + step] = np.add.reduceat(credit, evidence.starts, axis=1)
    return found.T


def _credits(free: Singles, priors: Singles, credit_of: Singles) -> Singles:
    """[R, E] the credit of the option with the largest sum of value and prior."""
    best = free[0] + priors[0]
    credit = np.broadcast_to(credit_of[0], best.shape).copy()
    for option in range(1, len(free)):
        value = free[option] + priors[option]
        is_better = value > best
        np.copyto(best, value, where=is_better)
        np.copyto(credit, credit_of[option], where=is_better)
    return credit


def _right_first(evidence: Evidence) -> Evidence | None:
    """The same with the right option first; `None` where examples have several right ones or shares of credit.

    Whether the first option has the largest value takes half the time of which option has it.
    """
    credit = evidence.credits
    if not bool(((credit == 0) | (credit == 1)).all() and (credit.sum(axis=0) == 1).all()) or len(credit) < 2:
        return None
    places = np.argsort(-credit, axis=0, kind="stable")
    free, priors = (np.take_along_axis(each, places[:, None], axis=0) for each in evidence[:2])
    return evidence._replace(
        free=free, priors=priors, credits=np.take_along_axis(credit, places, axis=0), places=places
    )


def _is_right(free: Singles, priors: Singles, places: Ints) -> Flags:
    """[R, E] whether the first option has the largest sum of value and prior; of equals that with the first place."""
    right, best = free[0] + priors[0], free[1] + priors[1]
    for option in range(2, len(free)):
        np.maximum(best, free[option] + priors[option], out=best)
    wins = right > best
    tied = right == best
    if tied.any():
        row, example = np.nonzero(tied)
        evidence, prior = (
            each[:, row if each.shape[1] > 1 else np.zeros_like(row), example] for each in (free, priors)
        )
        values, of_tied = evidence + prior, places[:, example]
        earliest = np.where(values[1:] == values[0], of_tied[1:], len(places)).min(axis=0)
        wins[row, example] = of_tied[0] < earliest
    return wins


def additive(with_priors: Singles, of_priors: Singles, reference: Ints) -> Effects:
    """Least squares by backfitting, which is exact to many digits after a few steps.

    Args:
        with_priors: [G, R, S] the accuracy of each row under the prior of each row of the reference.
        of_priors: [G, R, S] the accuracy of each row of the reference under the prior of each row.
        reference: [S]
    """
    count = len(reference)
    is_other = np.ones((with_priors.shape[1], count), dtype=np.float32)
    is_other[reference, np.arange(count)] = 0
    number = is_other.sum(axis=1)
    first = np.einsum("grs,rs->gr", with_priors, is_other, dtype=np.float64) / number
    second = np.einsum("grs,rs->gr", of_priors, is_other, dtype=np.float64) / number
    skill, prior = first, second
    for _ in range(_STEPS):
        skill = first - prior[:, reference] @ is_other.T / number
        skill -= skill[:, reference].mean(axis=1, keepdims=True)
        prior = second - skill[:, reference] @ is_other.T / number
    prior -= prior[:, reference].mean(axis=1, keepdims=True)
    return Effects(skill, prior)
