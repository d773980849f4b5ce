"""When a budget is called too small."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from phraseproof.analysis.estimators.sample_size import AIM, expected_errors, sample_size_check, uncertain_stds
from phraseproof.analysis.estimators.sampled_mean import sampled_mean
from phraseproof.analysis.estimators.task_estimates import QUANTILES, GroupEstimate, TaskEstimate, WordingEstimate
from phraseproof.core import Finding


def estimate(name: str, spread: float, *, share: float = 0.1, wordings: int = 9, common: float = 0.0) -> TaskEstimate:
    """Draws whose wordings scatter by `spread` from draw to draw, and all together by `common`."""
    draw = np.random.default_rng(0)
    middle = np.linspace(0.3, 0.9, wordings)
    draws: Any = middle + spread * draw.standard_normal((4000, wordings)) + common * draw.standard_normal((4000, 1))
    return TaskEstimate(name, "C", 0, share, 900, (), (), {"mine": draws})


def test_expected_errors_are_mean_absolute_deviations() -> None:
    """All wordings move together, by a normal law: its mean absolute deviation is sqrt(2 / pi) of its spread."""
    found = expected_errors(estimate("t", 0.0, common=0.03).draws["mine"])
    assert list(found) == list(QUANTILES)
    assert list(found.values()) == pytest.approx([0.03 * np.sqrt(2 / np.pi)] * 5, rel=0.05)


def test_enough_is_enough() -> None:
    assert sample_size_check([estimate("t", 0.002)]) is None
    assert sample_size_check([]) is None
    assert sample_size_check([replace(estimate("t", 0.0), draws={})]) is None


def test_the_quantile_furthest_from_its_aim_is_named() -> None:
    found = sample_size_check([estimate("fine", 0.001), estimate("bad", 0.03), estimate("worse", 0.08)])
    assert found is not None
    assert (found.task, found.group, found.num_short, found.num_tasks, found.scored) == ("worse", "mine", 2, 3, 900)
    errors = expected_errors(estimate("worse", 0.08).draws["mine"])
    assert found.error == errors[found.percent]
    assert found.error / AIM[found.percent] == max(errors[percent] / aim for percent, aim in AIM.items())


def test_the_share_it_would_take_follows_sampling_without_replacement() -> None:
    """An error twice the aim wants a fourth of rest / scored: from 1:9 to 4:9, that is 4 of 13."""
    given = estimate("t", 0.0, common=0.02 * np.sqrt(np.pi / 2))
    found = sample_size_check([given])
    assert found is not None
    assert found.percent == 50
    assert found.error == pytest.approx(0.02, rel=0.05)
    assert found.share == pytest.approx(4 / 13, rel=0.07)


def answered(*counts: int) -> TaskEstimate:
    """A group whose wordings were scored on so many examples of 100."""
    wordings: list[WordingEstimate] = []
    for number, count in enumerate(counts):
        seen = np.zeros((1, 100))
        seen[0, :count] = 1.0
        accuracy = Finding(f"w{number}", 0.5, count, "made up", 0.4, 0.6)
        wordings.append(WordingEstimate(f"w{number}", accuracy, sampled_mean(seen, seen)))
    std = Finding("Std", 0.1, len(counts), "made up", 0.0, 0.2) if len(counts) > 1 else None
    group = GroupEstimate("mine", len(counts), Finding("mean", 0.5, len(counts), "made up"), std, {}, tuple(wordings))
    return replace(estimate("t", 0.0), groups=(group,))


def test_a_std_from_few_answers_has_a_line() -> None:
    line = uncertain_stds([replace(answered(12, 10), task="u"), answered(10, 4)])
    assert line.startswith("fewer than 10 answers per wording, in 1 of 2 groups of wordings (fewest: t, mine; 4)")
    assert uncertain_stds([answered(10, 11)]) == ""
    assert uncertain_stds([answered(3)]) == "", "one wording has no Std"
    assert uncertain_stds([replace(answered(3, 3), share=1.0)]) == ""
