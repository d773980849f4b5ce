"""The ways to answer a question with several wordings at hand: one of them, a correction, or several together."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.ensembles import How, combine
from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import OptionValues, scores

FOLDS = 5
FEW = 3
"""How many wordings the ensembles of chosen wordings have."""


class Access(StrEnum):
    """What a user can have of a model's answer; each member includes the one before it."""

    TEXT = "text"
    LOGPROBS = "logprobs"


class Part(NamedTuple):
    """Some wordings of a task, with the folds of its examples.

    Attributes:
        of: the task's values under these wordings.
        raw: [n, E, C] log-probabilities of the options.
        calibrated: [n, E, C] the same, calibrated by the examples of the other folds.
        folds: [E] the fold of every example; nothing is fitted on an example's own fold.
    """

    of: OptionValues
    raw: Floats
    calibrated: Floats
    folds: Ints

    def take(self, rows: Ints) -> Part:
        """The same with some of the wordings."""
        return Part(self.of.take(rows), self.raw[rows], self.calibrated[rows], self.folds)


class AnswerWay(NamedTuple):
    """One way to answer a question.

    Attributes:
        name: as tables show it.
        access: what it needs of the model.
        needs_labels: whether labelled examples are needed to fit it.
        calls: model calls per answer; `None` for one per wording that is at hand.
        answer: [n, E] the scores: one row per wording, or one row where the wordings give one answer together.
    """

    name: str
    access: Access
    needs_labels: bool
    calls: int | None
    answer: Callable[[Part], Floats]


def _each(values: Callable[[Part], Floats]) -> Callable[[Part], Floats]:
    """Every wording by itself."""
    return lambda part: scores(values(part), part.of)


def _together(values: Callable[[Part], Floats], how: How) -> Callable[[Part], Floats]:
    """All wordings in one answer."""
    return lambda part: scores(combine(values(part), how)[None], part.of)


def _chosen(values: Callable[[Part], Floats], size: int, how: How) -> Callable[[Part], Floats]:
    """The `size` wordings that are best on the other folds, in one answer."""

    def answer(part: Part) -> Floats:
        given = values(part)
        each = scores(given, part.of)
        right = np.stack([each[:, part.folds == fold].sum(axis=1) for fold in range(int(part.folds.max()) + 1)])
        orders = np.argsort(-(right.sum(axis=0) - right), axis=1, kind="stable")[:, :size]
        members = orders[part.folds].T
        places = np.arange(len(part.folds))
        if size == 1:
            return each[members, places]
        return scores(combine(given[members, places], how)[None], part.of)

    return answer


def _raw(part: Part) -> Floats:
    return part.raw


def _calibrated(part: Part) -> Floats:
    return part.calibrated


AS_IT_IS = "as it is"
WAYS: tuple[AnswerWay, ...] = (
    AnswerWay(AS_IT_IS, Access.TEXT, False, 1, _each(_raw)),
    AnswerWay("best wording", Access.TEXT, True, 1, _chosen(_raw, 1, "majority")),
    AnswerWay(f"majority of best {FEW}", Access.TEXT, True, FEW, _chosen(_raw, FEW, "majority")),
    AnswerWay("majority of all", Access.TEXT, False, None, _together(_raw, "majority")),
    AnswerWay("calibrated", Access.LOGPROBS, False, 1, _each(_calibrated)),
    AnswerWay("best wording, calibrated", Access.LOGPROBS, True, 1, _chosen(_calibrated, 1, "majority")),
    AnswerWay("ensemble of all", Access.LOGPROBS, False, None, _together(_raw, "mean_probability")),
    AnswerWay(f"calibrated ensemble of best {FEW}", Access.LOGPROBS, True, FEW,
        _chosen(_calibrated, FEW, "mean_probability")),
    AnswerWay("calibrated ensemble of all", Access.LOGPROBS, False, None, _together(_calibrated, "mean_probability")),
)  # fmt: skip
"""Every way. The first is the one that the others are compared with."""
