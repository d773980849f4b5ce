"""The ways to answer a question with several wordings at hand: one of them, a correction, or several together."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.calibrated import fitted_on
from phraseproof.analysis.ensembles import How, best_first, combine
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
        raw_totals, calibrated_totals: [F, n] what each wording scores on the examples outside a fold, where those also
            show its calibration: what the choice for the fold is made by.
    """

    of: OptionValues
    raw: Floats
    calibrated: Floats
    folds: Ints
    raw_totals: Floats
    calibrated_totals: Floats

    @classmethod
    def fitted(cls, of: OptionValues, calibration: str, folds: Ints) -> Part:
        """All wordings of a task; without a calibration where it is empty.

        As `ensemble_curve` judges: each fold is corrected, and its wordings are chosen, by the examples outside it.
        """
        raw, count = of.logprobs, int(folds.max()) + 1
        calibrated, totals = raw.copy() if calibration else raw, np.zeros((2, count, len(of.wordings)))
        right = scores(raw, of)
        for fold in range(count):
            outside = folds != fold
            totals[:, fold] = right[:, outside].sum(axis=1)
            if calibration:
                corrected = fitted_on(of.take_examples(np.flatnonzero(outside)), of, calibration)
                calibrated[:, ~outside] = corrected[:, ~outside]
                totals[1, fold] = scores(corrected, of)[:, outside].sum(axis=1)
        return cls(of, raw, calibrated, folds, totals[0], totals[1])

    def take(self, rows: Ints) -> Part:
        """The same with some of the wordings."""
        return Part(self.of.take(rows), self.raw[rows], self.calibrated[rows], self.folds,
                    self.raw_totals[:, rows], self.calibrated_totals[:, rows])  # fmt: skip


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


def _chosen(values: Callable[[Part], Floats], totals: Callable[[Part], Floats], size: int, how: How
            ) -> Callable[[Part], Floats]:  # fmt: skip
    """The `size` wordings that are best on the other folds, in one answer."""

    def answer(part: Part) -> Floats:
        given = values(part)
        members = best_first(totals(part))[:, :size][part.folds].T
        places = np.arange(len(part.folds))
        return scores(combine(given[members, places], how)[None], part.of)

    return answer


def _raw(part: Part) -> Floats:
    return part.raw


def _calibrated(part: Part) -> Floats:
    return part.calibrated


def _raw_totals(part: Part) -> Floats:
    return part.raw_totals


def _calibrated_totals(part: Part) -> Floats:
    return part.calibrated_totals


AS_IT_IS = "as it is"
CALIBRATED = "calibrated"
WAYS: tuple[AnswerWay, ...] = (
    AnswerWay(AS_IT_IS, Access.TEXT, False, 1, _each(_raw)),
    AnswerWay("best wording", Access.TEXT, True, 1, _chosen(_raw, _raw_totals, 1, "majority")),
    AnswerWay(f"majority of best {FEW}", Access.TEXT, True, FEW, _chosen(_raw, _raw_totals, FEW, "majority")),
    AnswerWay("majority of all", Access.TEXT, False, None, _together(_raw, "majority")),
    AnswerWay(CALIBRATED, Access.LOGPROBS, False, 1, _each(_calibrated)),
    AnswerWay("best wording, calibrated", Access.LOGPROBS, True, 1,
        _chosen(_calibrated, _calibrated_totals, 1, "majority")),
    AnswerWay("ensemble of all", Access.LOGPROBS, False, None, _together(_raw, "mean_probability")),
    AnswerWay(f"calibrated ensemble of best {FEW}", Access.LOGPROBS, True, FEW,
        _chosen(_calibrated, _calibrated_totals, FEW, "mean_probability")),
    AnswerWay("calibrated ensemble of all", Access.LOGPROBS, False, None, _together(_calibrated, "mean_probability")),
)  # fmt: skip
"""Every way. The first is the one that the others are compared with."""


def trained_ways(name: str, access: Access) -> tuple[AnswerWay, ...]:
    """The ways to answer with a trained model: each wording by itself, and calibrated where the access allows it.

    Args:
        name: of the model.
        access: what the user has of an answer.
    """
    alone = AnswerWay(name, Access.TEXT, False, 1, _each(_raw))
    if access is Access.TEXT:
        return (alone,)
    return (alone, AnswerWay(calibrated_name(name), Access.LOGPROBS, False, 1, _each(_calibrated)))


def calibrated_name(name: str) -> str:
    """The name of the way that calibrates a trained model."""
    return f"{name}, {CALIBRATED}"
