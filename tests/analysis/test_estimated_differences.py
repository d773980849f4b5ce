"""Two runs of which at least one is estimated, side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.estimated_differences import estimated_differences
from phraseproof.analysis.estimators.budget import GroupEstimate, TaskEstimate, WordingEstimate
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError


def estimate(task: str, category: str, shots: int = 0, **groups: dict[str, Any]) -> TaskEstimate:
    """Each group's wordings by name, with their draws (a number is a whole run's two)."""
    draws = {
        group: np.stack([np.broadcast_to(np.asarray(each, dtype=float), np.size(each) if np.ndim(each) else 2)
                         for each in wordings.values()], axis=1)
        for group, wordings in groups.items()
    }  # fmt: skip
    exact = Finding("accuracy", 0.5, 10, "made up")
    found = tuple(
        GroupEstimate(
            group, len(wordings), exact, None, {}, tuple(WordingEstimate(name, exact, 0.5) for name in wordings)
        )
        for group, wordings in groups.items()
    )
    return TaskEstimate(task, category, shots, 0.1, 10, found, (), draws)


def test_whole_runs_differ_exactly_and_by_shared_wordings_only() -> None:
    before = estimate("t", "C", a={"x": 0.5, "y": 0.7, "gone": 0.0}, b={"z": 0.2})
    after = estimate("t", "C", a={"y": 0.9, "x": 0.6, "new": 1.0}, b={"z": 0.2})
    (everything, of_a, of_b) = estimated_differences([before], [after])[0]
    assert (everything.level, everything.name, everything.group) == (Level.TASK, "t", "")
    assert (everything.before, everything.after) == pytest.approx((1.4 / 3, 1.7 / 3))
    assert everything.finding.estimate == pytest.approx(0.1)
    assert (everything.finding.low, everything.finding.high) == pytest.approx((0.1, 0.1))
    assert [row.group for row in (of_a, of_b)] == ["a", "b"]
    assert [row.finding.estimate for row in (of_a, of_b)] == pytest.approx([0.15, 0.0])
    assert [row.finding.n for row in (everything, of_a, of_b)] == [3, 2, 1]


def test_intervals_come_of_both_sides_draws() -> None:
    """Independent normal draws with standard deviations 0.03 and 0.04: the difference has 0.05."""
    draw = np.random.default_rng(0)
    before = estimate("t", "C", a={"x": 0.5 + 0.03 * draw.standard_normal(20_000)})
    after = estimate("t", "C", a={"x": 0.6 + 0.04 * draw.standard_normal(20_000)})
    (row,) = estimated_differences([before], [after])[0]
    assert row.finding.low == pytest.approx(0.1 - 1.96 * 0.05, abs=0.003)
    assert row.finding.high == pytest.approx(0.1 + 1.96 * 0.05, abs=0.003)
    whole = estimate("t", "C", a={"x": 0.6})
    (row,) = estimated_differences([before], [whole])[0]
    assert row.finding.low == pytest.approx(0.1 - 1.96 * 0.03, abs=0.002)


def test_categories_weigh_alike() -> None:
    before = [estimate(name, category, a={"x": 0.5}) for name, category in (("t", "C"), ("u", "C"), ("v", "D"))]
    after = [estimate(name, category, a={"x": value})
             for name, category, value in (("t", "C", 0.6), ("u", "C", 0.8), ("v", "D", 0.5))]  # fmt: skip
    rows = estimated_differences(before, after)[0]
    assert [row.name for row in rows] == ["C", "t", "u", "D", "v", "Overall"]
    assert [row.finding.estimate for row in rows] == pytest.approx([0.2, 0.1, 0.3, 0.0, 0.0, 0.1])


def test_nothing_in_common_is_not_enough() -> None:
    one = estimate("t", "C", a={"x": 0.5})
    for other in (
        estimate("t", "C", a={"y": 0.5}),
        estimate("u", "C", a={"x": 0.5}),
        estimate("t", "C", 1, a={"x": 1}),
    ):
        with pytest.raises(NotEnoughDataError, match="no wording in common"):
            estimated_differences([one], [other])
