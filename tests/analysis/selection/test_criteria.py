"""Criteria: values of wordings from their means in blocks."""

from __future__ import annotations

import numpy as np
import pytest

from phraseproof.analysis.selection.candidates import Block, Candidates
from phraseproof.analysis.selection.criteria import Criterion, Objective, joint_distance
from phraseproof.errors import UsageError

MEANS = np.array([[0.9, 0.5], [0.1, 0.6], [0.5, 0.7], [0.3, 0.4]])
WEIGHTS = np.array([0.4, 0.3, 0.2, 0.1])


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        (Objective(Criterion.MEAN), [0.4 * 0.9 + 0.3 * 0.1 + 0.2 * 0.5 + 0.1 * 0.3, 0.56]),
        (Objective(Criterion.LOWER_BOUND), [0.52, 0.56]),
        (Objective(Criterion.WORST), [0.1, 0.4]),
        (Objective(Criterion.CVAR, 0.5), [(0.1 + 0.3) / 2, (0.4 + 0.5) / 2]),
        (Objective(Criterion.CVAR, 0.25), [0.1, 0.4]),
        (Objective(Criterion.CVAR, 1.0), [0.45, 0.55]),
        # One and a half blocks: the worst, and half of the next.
        (Objective(Criterion.CVAR, 0.375), [(0.1 + 0.5 * 0.3) / 1.5, (0.4 + 0.5 * 0.5) / 1.5]),
    ],
)
def test_values(objective: Objective, expected: list[float]) -> None:
    assert objective.values(MEANS, WEIGHTS) == pytest.approx(expected)
    assert objective.values(np.stack([MEANS, MEANS]), WEIGHTS) == pytest.approx(np.array([expected] * 2))
    # The shares of the blocks give the same value.
    shares = objective.shares(MEANS, WEIGHTS)
    assert shares.sum(axis=0) == pytest.approx([1, 1])
    assert (shares * MEANS).sum(axis=0) == pytest.approx(expected)


def test_a_share_out_of_range_is_refused() -> None:
    with pytest.raises(UsageError, match="--share"):
        Objective(Criterion.CVAR, 0.0)


def test_the_lower_bound_prefers_the_wording_whose_scores_vary_less() -> None:
    draw = np.random.default_rng(1)
    wild = (draw.random(60) < 0.61).astype(float)
    calm = np.full(60, wild.mean() - 0.01)
    candidates = Candidates(("wild", "calm"), (Block("", 0, np.stack([wild, calm]), 1.0),))
    assert np.argmax(Objective(Criterion.MEAN).ranks(candidates.means, candidates)) == 0
    assert np.argmax(Objective(Criterion.LOWER_BOUND).ranks(candidates.means, candidates)) == 1


def test_distances_of_the_same_examples_add_and_of_others_add_as_squares() -> None:
    scores = np.ones((1, 4))
    of = Candidates(("a",), (Block("x", 0, scores, 0.5), Block("y", 0, scores, 0.25), Block("z", 1, scores, 0.25)))
    found = joint_distance(np.array([[0.4], [0.4], [0.8]]), of.weights[:, None], of)
    assert found == pytest.approx([np.hypot(0.3, 0.2)])
