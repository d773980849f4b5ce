"""Candidates of a choice: means, effective sizes, strata."""

from __future__ import annotations

import numpy as np
import pytest

from phraseproof.analysis.selection.candidates import Block, Candidates


def test_means_and_strata_of_two_models_on_the_same_examples_and_another_task() -> None:
    first = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    second = 1 - first
    other = np.array([[1.0, 1.0], [0.0, 1.0]])
    candidates = Candidates(
        ("a", "b"),
        (Block("m1", 0, first, 0.25), Block("m2", 0, second, 0.25), Block("t2", 1, other, 0.5)),
    )
    assert candidates.means == pytest.approx(np.array([[2 / 3, 1 / 3], [1 / 3, 2 / 3], [1.0, 0.5]]))
    assert candidates.strata == ((0, 1), (2,))
    assert candidates.examples() == 5
    assert candidates.sizes == pytest.approx(np.array([[3, 3], [3, 3], [2, 2]]))
    assert candidates.take([1]).means == pytest.approx(candidates.means[:, [1]])


def test_scores_that_vary_less_than_right_and_wrong_count_as_more_examples() -> None:
    draw = np.random.default_rng(0)
    narrow = 0.5 + 0.05 * draw.standard_normal((1, 400))
    candidates = Candidates(("a",), (Block("", 0, narrow, 1.0),))
    # The standard error of an effective share of 1/2 is that of the mean, apart from the one observation that is added.
    error = np.sqrt(0.25 / candidates.sizes[0, 0])
    assert error == pytest.approx(np.sqrt((narrow.var() + 0.25 / 400) / 401), rel=0.01)
    assert error < 0.08 * np.sqrt(0.25 / 4)
