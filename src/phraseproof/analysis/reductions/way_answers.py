"""The scores of ways to answer, under all wordings of a task and under random halves of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.reductions.ways import AnswerWay, Part


class DividedAnswers(NamedTuple):
    """The answers of one model: under all wordings, and under those of each half."""

    whole: Part
    halves: Sequence[Part]


class WayAnswers:
    """The scores of one way: with S training seeds, or once without training.

    Attributes:
        of_all: [S, E] with all wordings.
        of_halves: [H, S, E] with the wordings of each half.
        of_wordings: [S, W, E] of every wording, a mean over draws of demonstrations; `None` where wordings answer
            together.
        levels: [S, L] the accuracies that the spread is over.
    """

    def __init__(self, way: AnswerWay, models: Sequence[DividedAnswers], number: Ints) -> None:
        self.way = way
        found = [way.answer(model.whole) for model in models]
        self.of_all = np.stack([each.mean(axis=0) for each in found])
        of_halves = [[way.answer(half).mean(axis=0) for half in model.halves] for model in models]
        self.of_halves = np.stack([np.stack(each) for each in of_halves], axis=1)
        is_single = len(found[0]) == len(number)
        self.of_wordings = np.stack([_over_draws(each, number) for each in found]) if is_single else None
        halves = self.of_halves.mean(axis=2).T
        self.levels = halves if self.of_wordings is None else self.of_wordings.mean(axis=2)


def _over_draws(scores: Floats, number: Ints) -> Floats:
    """[W, E] the means of the rows [R, E] of each wording."""
    found = np.zeros((number.max() + 1, scores.shape[1]))
    np.add.at(found, number, scores)
    return found / np.bincount(number)[:, None]
