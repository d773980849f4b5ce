"""Scores of ways by hand, with two draws of demonstrations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from phraseproof.analysis.reductions.way_answers import DividedAnswers, WayAnswers
from phraseproof.analysis.reductions.ways import WAYS, Part
from support.option_grids import option_values


def test_a_wording_has_the_mean_of_its_draws() -> None:
    targets = np.array([0, 1, 0, 1])
    right, wrong = np.eye(2)[targets], np.eye(2)[1 - targets]
    of = option_values(np.stack([right, wrong, right, right]), targets)
    of = replace(of, wordings=("c/a", "c/a", "c/b", "c/b"), seeds=(0, 1, 0, 1))
    part = Part.fitted(of, "", np.array([0, 1, 0, 1]))
    number = np.array([0, 0, 1, 1])
    halves = [part.take(np.array([0, 1])), part.take(np.array([2, 3]))]
    found = WayAnswers(WAYS[0], [DividedAnswers(part, halves)] * 3, number)
    assert found.of_wordings is not None
    assert found.of_wordings.tolist() == [[[0.5] * 4, [1.0] * 4]] * 3
    assert found.of_all.tolist() == [[0.75] * 4] * 3
    assert found.of_halves.tolist() == [[[0.5] * 4] * 3, [[1.0] * 4] * 3]
    assert found.levels.tolist() == [[0.5, 1.0]] * 3


def test_what_is_answered_together_has_the_levels_of_halves() -> None:
    targets = np.array([0, 1, 0, 1])
    of = option_values(np.stack([np.eye(2)[targets]] * 4), targets)
    part = Part.fitted(of, "", np.array([0, 1, 0, 1]))
    (majority,) = (way for way in WAYS if way.name == "majority of all")
    halves = [part.take(np.array([0, 1])), part.take(np.array([2, 3]))]
    found = WayAnswers(majority, [DividedAnswers(part, halves)], np.arange(4))
    assert found.of_wordings is None
    assert found.levels.tolist() == [[1.0, 1.0]]
