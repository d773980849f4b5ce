"""Estimates over tasks: categories weigh the same, wordings count once, and intervals are the means of the tasks'."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.analysis.estimators.budget import estimate_run
from phraseproof.analysis.estimators.task_estimates import over_tasks
from support.budget_runs import run_of_tasks, task


def test_over_tasks_weighs_categories_equally_and_narrows(tmp_path: Path) -> None:
    tasks = (task("a", "C"), task("b", "C"), task("c", "D"))
    estimates = estimate_run(run_of_tasks(tmp_path, 0.4, *tasks))
    category, overall = over_tasks(estimates)
    assert (category.task, overall.task) == ("C", "Overall")
    means = {each.task: each.groups[0].mean.estimate for each in estimates}
    assert category.groups[0].mean.estimate == pytest.approx((means["a"] + means["b"]) / 2)
    assert overall.groups[0].mean.estimate == pytest.approx((category.groups[0].mean.estimate + means["c"]) / 2)
    widths = [(each.groups[0].mean.high or 0) - (each.groups[0].mean.low or 0) for each in (*estimates[:2], category)]
    assert widths[2] < 0.9 * min(widths[:2]), "tasks are independent"
    assert over_tasks(estimates[:1]) == []


def test_over_tasks_wordings_that_serve_several_count_once(tmp_path: Path) -> None:
    found = over_tasks(estimate_run(run_of_tasks(tmp_path, 0.4, task("a", "C"), task("b", "C"), task("c", "D"))))
    assert [[group.num_wordings for group in row.groups] for row in found] == [[5, 3], [5, 3]]
    assert [row.groups[0].mean.n for row in found] == [5, 5]
    assert [row.differences[0].n for row in found] == [3, 3]


def test_the_ends_of_a_std_over_tasks_are_the_means_of_the_tasks_ends(tmp_path: Path) -> None:
    estimates = estimate_run(run_of_tasks(tmp_path, 0.4, task("a", "C"), task("b", "C"), task("c", "D")))
    category, overall = over_tasks(estimates)
    for end in ("estimate", "low", "high"):
        a, b, c = (getattr(each.groups[0].std, end) for each in estimates)
        assert getattr(category.groups[0].std, end) == pytest.approx((a + b) / 2)
        assert getattr(overall.groups[0].std, end) == pytest.approx((a + b) / 4 + c / 2)
