"""How well a model distinguishes the classes of a task, and how constant its answers are: from confusion matrices.

Every function takes matrices [..., C, C] of counts, right class by chosen class, and returns one value for each matrix.
The definitions are scikit-learn's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from phraseproof.analysis.answers import TaskAnswers
from phraseproof.analysis.grids import Floats, Ints

CONSTANT_FROM = 0.95
"""The share of one answer from which a wording's answers count as constant."""


class ConstantWording(NamedTuple):
    """A wording that gives nearly always the same answer.

    Attributes:
        answer: the name of the class.
        share: of its answers, from 0 to 1.
    """

    group: str
    wording: str
    answer: str
    share: float


def answer_shares(confusion: Ints) -> Floats:
    """[..., C] the share of each class among the answers."""
    chosen = confusion.sum(axis=-2).astype(np.float64)
    return chosen / chosen.sum(axis=-1, keepdims=True)


def most_chosen_share(confusion: Ints) -> Floats:
    """[...] the share of the class that is chosen most."""
    return answer_shares(confusion).max(axis=-1)


def constant_wordings(answers: TaskAnswers, *, share: float = CONSTANT_FROM) -> tuple[ConstantWording, ...]:
    """The wordings of a task that give one answer at least so often."""
    shares = answer_shares(answers.confusion)
    return tuple(
        ConstantWording(answers.groups[row], answers.wordings[row], answers.classes[place], float(shares[row, place]))
        for row, place in enumerate(shares.argmax(axis=1))
        if shares[row, place] >= share
    )


def accuracy(confusion: Ints) -> Floats:
    """[...] the share of answers that are right."""
    return np.trace(confusion, axis1=-2, axis2=-1) / confusion.sum(axis=(-2, -1))


def balanced_accuracy(confusion: Ints) -> Floats:
    """[...] the mean recall of the classes that are right in some example: 1 / C for every constant answer."""
    return mean_recall(np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-1))


def macro_f1(confusion: Ints) -> Floats:
    """[...] the mean F1 of the classes that are right or chosen in some example; F1 is 0 where no answer is right."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    return mean_f1(hits, confusion.sum(axis=-1) + confusion.sum(axis=-2))


def mean_recall(hits: Ints | Floats, right: Ints | Floats) -> Floats:
    """Balanced accuracy from [..., C] the right answers of each class, and how often each class is right."""
    return _ratio(hits, right).sum(axis=-1) / np.maximum(np.count_nonzero(right, axis=-1), 1)


def mean_f1(hits: Ints | Floats, met: Ints | Floats) -> Floats:
    """Macro-F1 from [..., C] the right answers of each class, and how often each class is right or chosen, added up."""
    return _ratio(2 * hits, met).sum(axis=-1) / np.maximum(np.count_nonzero(met, axis=-1), 1)


def _ratio(part: Ints | Floats, whole: Ints | Floats) -> Floats:
    """The ratio, and 0 where the whole is 0."""
    return part / np.maximum(whole, 1)
