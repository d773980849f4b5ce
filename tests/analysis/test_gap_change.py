"""How a difference between groups changes from one run to another."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from phraseproof.analysis.gap_change import gap_change
from phraseproof.analysis.grids import TaskGrid
from phraseproof.analysis.score_table import ScoreTable
from phraseproof.errors import NotEnoughDataError

GROUPS = ("observed", "unobserved")


def grid(task: str, rows: list[list[float]], *, category: str = "C") -> TaskGrid:
    scores = np.array(rows)
    names = tuple(f"w{place}" for place in range(len(rows)))
    groups = tuple(GROUPS[place % 2] for place in range(len(rows)))
    examples = tuple(f"e{place}" for place in range(scores.shape[1]))
    return TaskGrid(task, category, 0, groups, names, names, scores.mean(axis=1), examples, ScoreTable(scores))


def test_it_is_the_difference_of_the_differences() -> None:
    # Means observed / unobserved: before 1.0 / 0.5 and 0.5 / 0.5; after 1.0 / 0.75 and 0.75 / 0.25.
    before = [
        grid("a", [[1, 1, 1, 1], [1, 0, 1, 0], [1, 1, 1, 1], [0, 1, 0, 1]]),
        grid("b", [[1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 0, 1], [1, 0, 1, 0]], category="D"),
    ]
    after = [
        grid("a", [[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 0, 1]]),
        grid("b", [[1, 1, 1, 0], [0, 0, 0, 1], [0, 1, 1, 1], [1, 0, 0, 0]], category="D"),
    ]
    found = gap_change(before, after, groups=GROUPS)
    # Category C: -0.25 - -0.5; category D: -0.5 - 0.
    assert found.estimate == pytest.approx((0.25 - 0.5) / 2)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.estimate < found.high


def test_equal_runs_have_no_change() -> None:
    one = [grid("a", [[1, 0, 1, 1], [1, 0, 0, 0], [0, 1, 1, 1], [0, 0, 0, 1]])]
    found = gap_change(one, one, groups=GROUPS)
    assert (found.estimate, found.low, found.high) == (0, 0, 0)


def test_other_prompts_are_refused() -> None:
    one = grid("a", [[1, 0], [1, 0]])
    for other in ([], [dataclasses.replace(one, task="b")], [dataclasses.replace(one, table=None)]):
        with pytest.raises(NotEnoughDataError, match="do not hold the same wordings and examples"):
            gap_change([one], other, groups=GROUPS)
