"""Means of a sampled grid: right on average, intervals that hold, also near the ceiling, the floor and over tasks."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from phraseproof.analysis.estimators.sampled_mean import SampledMean, mean_of, sampled_mean, spread_interval
from phraseproof.analysis.grids import Floats
from phraseproof.evaluation.budget import choose_cells


def part_of(whole: Floats, share: float, seed: int) -> SampledMean:
    """The mean over a grid's rows from the cells that a budget buys."""
    seen = np.zeros(whole.shape)
    count = max(len(whole), int(np.ceil(share * whole.size)))
    for row, chosen in enumerate(choose_cells(len(whole), whole.shape[1], count, seed)):
        seen[row, chosen] = 1.0
    return sampled_mean(whole * seen, seen)


def grids(logit: float, *, spread: float, tasks: int, seed: int, graded: bool = False) -> list[Floats]:
    """Tasks of 10 wordings and 80 examples around an accuracy."""
    draw = np.random.default_rng(seed)
    found: list[Floats] = []
    for _ in range(tasks):
        odds = logit + spread * draw.standard_normal((10, 1)) + 1.5 * draw.standard_normal(80)
        chance = 1 / (1 + np.exp(-odds))
        scores = draw.beta(3 * chance, 3 * (1 - chance)) if graded else draw.random((10, 80)) < chance
        found.append(np.asarray(scores, dtype=np.float64))
    return found


def test_one_wording_of_an_endless_grid_has_wilsons_interval():
    scores, seen = np.zeros((1, 1_000_000)), np.zeros((1, 1_000_000))
    seen[0, :50], scores[0, :44] = 1.0, 1.0
    found = sampled_mean(scores, seen)
    assert found.value == 44 / 50
    assert found.interval() == pytest.approx(proportion_confint(44, 50, method="wilson"), abs=0.002)
    scores[0, :50] = 1.0
    assert sampled_mean(scores, seen).interval() == pytest.approx(proportion_confint(50, 50, method="wilson"), abs=1e-4)


def test_a_difference_has_newcombes_interval():
    first, second = (np.zeros((1, 1_000_000)) for _ in range(2))
    seen = np.zeros((1, 1_000_000))
    seen[0, :200], first[0, :160], second[0, :120] = 1.0, 1.0, 1.0
    found = sampled_mean(first, seen).minus(sampled_mean(second, seen), "d", n=1)
    wanted = confint_proportions_2indep(160, 200, 120, 200, method="newcomb")
    assert found.estimate == pytest.approx(0.2)
    assert (found.low, found.high) == pytest.approx(wanted, abs=0.002)


def test_a_whole_grid_is_exact():
    whole = np.random.default_rng(0).random((4, 9))
    found = sampled_mean(whole, np.ones((4, 9)))
    assert found.value == pytest.approx(whole.mean())
    assert found.interval() == (found.value, found.value)
    assert mean_of([found, found]).interval() == pytest.approx((whole.mean(), whole.mean()))


def test_the_mean_of_many_budgets_is_the_truth():
    (whole,) = grids(4.0, spread=1.0, tasks=1, seed=3)
    found = [part_of(whole, 0.05, seed).value for seed in range(2000)]
    error = np.std(found) / np.sqrt(len(found))
    assert np.mean(found) == pytest.approx(whole.mean(), abs=4 * error)


@pytest.mark.parametrize("graded", [False, True], ids=["right or wrong", "graded"])
@pytest.mark.parametrize(
    ("logit", "share"), [(6.0, 0.05), (6.0, 0.2), (4.0, 0.05), (4.0, 0.5), (0.0, 0.05), (0.0, 0.5), (-4.0, 0.1)]
)
def test_intervals_hold_on_tasks_and_over_them(logit: float, share: float, graded: bool):
    """12 tasks together, and each: at least 91% of 150 and of 1,800 (95% less two standard errors of the first).

    Scores between 0 and 1 that are nearly always 1 may hide in a small sample how far the others lie: 86% there.
    """
    over_tasks, on_tasks, errors = [], [], []
    for seed in range(150):
        wholes = grids(logit, spread=1.0, tasks=12, seed=seed, graded=graded)
        parts = [part_of(whole, share, 100 * seed + place) for place, whole in enumerate(wholes)]
        together, truth = mean_of(parts), float(np.mean(wholes))
        low, high = together.interval()
        over_tasks.append(low <= truth <= high)
        errors.append(together.value - truth)
        for part, whole in zip(parts, wholes, strict=True):
            low, high = part.interval()
            on_tasks.append(low - 1e-12 <= whole.mean() <= high + 1e-12)
    least = 0.86 if graded and logit == 6.0 else 0.91
    assert np.mean(over_tasks) >= least
    assert np.mean(on_tasks) >= least
    assert abs(np.mean(errors)) <= 4 * np.std(errors) / np.sqrt(len(errors)), "errors have no common sign"


def test_the_spread_of_a_whole_grid_is_exact():
    whole = np.random.default_rng(0).random((5, 9))
    found = spread_interval([sampled_mean(row[None], np.ones((1, 9))) for row in whole])
    assert found == pytest.approx((np.std(whole.mean(axis=1), ddof=1),) * 2)


@pytest.mark.parametrize("mixed", [False, True], ids=["one kind of question", "two kinds"])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_intervals_of_the_spread_hold_whatever_the_questions(share: float, mixed: bool):
    """Of 400 grids of 10 wordings and 60 questions, where wordings that do well on half do badly on the others."""
    held = []
    for seed in range(400):
        draw = np.random.default_rng(seed)
        odds = np.repeat(draw.standard_normal((10, 1)), 60, axis=1)
        if mixed:
            odds = 2 * odds * np.where(np.arange(60) % 2, 1.0, -0.6)
        whole = np.asarray(draw.random((10, 60)) < 1 / (1 + np.exp(-odds)), dtype=np.float64)
        seen = np.zeros(whole.shape)
        for row, chosen in enumerate(choose_cells(10, 60, int(share * 600), seed)):
            seen[row, chosen] = 1.0
        low, high = spread_interval([sampled_mean(whole[row : row + 1], seen[row : row + 1]) for row in range(10)])
        held.append(low <= np.std(whole.mean(axis=1), ddof=1) <= high)
    assert np.mean(held) >= 0.92


def test_all_right_over_tasks_is_nearly_the_rule_of_three():
    """24 tasks of 12 answers of 1,000 each, all right: the lower end is Wilson's for 288 of 288, not of 12 of 12."""
    scores, seen = np.zeros((12, 1000)), np.zeros((12, 1000))
    seen[:, 0], scores[:, 0] = 1.0, 1.0
    low, high = mean_of([sampled_mean(scores, seen)] * 24).interval()
    assert high == 1.0
    assert low == pytest.approx(proportion_confint(288, 288, method="wilson")[0], abs=1e-4)
