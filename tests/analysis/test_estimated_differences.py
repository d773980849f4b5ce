"""Two runs of which at least one is estimated, side by side."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.estimated_differences import estimated_differences
from phraseproof.analysis.estimators.sampled_mean import SampledMean, sampled_mean
from phraseproof.analysis.estimators.task_estimates import GroupEstimate, TaskEstimate, WordingEstimate
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError


def answers(share: float, scored: int = 1000, size: int | None = None) -> SampledMean:
    """A wording with this share of right answers among those scored of `size`; a whole one by default."""
    scores, seen = np.zeros((1, size or scored)), np.zeros((1, size or scored))
    seen[0, :scored] = 1.0
    scores[0, : round(share * scored)] = 1.0
    return sampled_mean(scores, seen)


def estimate(task: str, category: str, shots: int = 0, **groups: dict[str, float | SampledMean]) -> TaskEstimate:
    """Each group's wordings by name; a number is the accuracy in a whole run."""
    exact = Finding("accuracy", 0.5, 10, "made up")
    found = tuple(
        GroupEstimate(
            group,
            len(wordings),
            exact,
            None,
            {},
            tuple(
                WordingEstimate(name, exact, each if isinstance(each, SampledMean) else answers(each))
                for name, each in wordings.items()
            ),
        )
        for group, wordings in groups.items()
    )
    return TaskEstimate(task, category, shots, 0.1, 10, found, (), {})


def test_whole_runs_differ_exactly_and_by_shared_wordings_only() -> None:
    before = estimate("t", "C", a={"x": 0.5, "y": 0.7, "gone": 0.0}, b={"z": 0.2})
    after = estimate("t", "C", a={"y": 0.9, "x": 0.6, "new": 1.0}, b={"z": 0.2})
    (everything, of_a, of_b, balanced) = estimated_differences([before], [after])[0]
    assert (everything.level, everything.name, everything.group) == (Level.TASK, "t", "")
    assert (everything.before, everything.after) == pytest.approx((1.4 / 3, 1.7 / 3))
    assert everything.finding.estimate == pytest.approx(0.1)
    assert (everything.finding.low, everything.finding.high) == pytest.approx((0.1, 0.1))
    assert [row.group for row in (of_a, of_b)] == ["a", "b"]
    assert [row.finding.estimate for row in (of_a, of_b)] == pytest.approx([0.15, 0.0])
    assert [row.finding.n for row in (everything, of_a, of_b, balanced)] == [3, 2, 1, 3]
    assert balanced.group == "mean of groups"
    assert (balanced.before, balanced.after, balanced.finding.estimate) == pytest.approx((0.4, 0.475, 0.075))


def test_the_interval_is_that_of_newcombe() -> None:
    """56/70 against 48/80 (Newcombe 1998, method 10): +0.20, interval +0.0524 to +0.3339; of endless grids."""
    before = estimate("t", "C", a={"x": answers(48 / 80, 80, 80_000_000 // 100)})
    after = estimate("t", "C", a={"x": answers(56 / 70, 70, 80_000_000 // 100)})
    (row,) = estimated_differences([before], [after])[0]
    assert row.finding.estimate == pytest.approx(0.2)
    assert (row.finding.low, row.finding.high) == pytest.approx((0.0524, 0.3339), abs=0.002)
    whole = estimate("t", "C", a={"x": 0.8})
    (row,) = estimated_differences([before], [whole])[0]
    low, high = proportion_confint(48, 80, method="wilson")
    assert (row.finding.low, row.finding.high) == pytest.approx((0.8 - high, 0.8 - low), abs=0.001)


def test_wordings_that_serve_several_tasks_count_once() -> None:
    before = [estimate(name, "C", a={"x": 0.5, "y": 0.5}, b={"z": 0.5}) for name in ("t", "u")]
    rows = estimated_differences(before, before)[0]
    assert [row.finding.n for row in rows] == [3, 3, 3, 3, 2, 1, 3]


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
