"""Measures of groups of wordings: values compared with scikit-learn, intervals by simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.metrics import balanced_accuracy_score, f1_score

from phraseproof.analysis.answer_quality import MEASURES, answer_quality, wording_measures
from phraseproof.analysis.option_values import OptionValues
from phraseproof.analysis.probability_scores import (
    brier_scores,
    calibration_error,
    confidences,
    equal_width_bins,
    log_losses,
)
from support.option_arrays import option_values


def task(seed: int, wordings: int = 5, examples: int = 70, *, spread: float = 1.0) -> OptionValues:
    """Texts are classes: `by_position` is false."""
    draw = np.random.default_rng(seed)
    right = draw.choice(3, size=examples, p=(0.6, 0.3, 0.1))
    values = spread * draw.normal(size=(wordings, 1, 3)) + draw.normal(size=(wordings, examples, 3)) + np.eye(3)[right]
    of = option_values(np.asarray(log_softmax(values, axis=-1)), right)
    return replace(of, by_position=(False,) * wordings, class_names=(("a", "b", "c"),) * wordings)


def test_every_measure_of_every_wording_is_that_of_a_plain_computation() -> None:
    of = task(0)
    found = wording_measures(of)
    assert tuple(found) == MEASURES
    for row, logprobs in enumerate(of.logprobs):
        chosen = logprobs.argmax(axis=1)
        confidence, right = confidences(logprobs), (chosen == of.targets).astype(np.float64)
        assert found["brier"][row] == pytest.approx(brier_scores(logprobs, of.targets).mean())
        assert found["log_loss"][row] == pytest.approx(log_losses(logprobs, of.targets).mean())
        assert found["ece"][row] == pytest.approx(calibration_error(confidence, right, equal_width_bins(confidence)))
        assert found["macro_f1"][row] == pytest.approx(f1_score(of.targets, chosen, average="macro"))
        assert found["balanced_accuracy"][row] == pytest.approx(balanced_accuracy_score(of.targets, chosen))


def test_groups_have_mean_std_and_interval_and_tasks_are_weighted_equally() -> None:
    first, second = task(1), replace(task(2), task="u")
    first = replace(first, groups=("g", "g", "h", "h", "h"))
    one, two, category, overall = answer_quality([first, second])
    values = wording_measures(first)["brier"]
    assert one.groups["h"].findings["brier"].estimate == pytest.approx(values[2:].mean())
    assert one.groups["h"].stds["brier"] == pytest.approx(values[2:].std(ddof=1))
    expected = (one.groups["g"].findings["ece"].estimate + two.groups["g"].findings["ece"].estimate) / 2
    assert overall.groups["g"].findings["ece"].estimate == pytest.approx(expected)
    assert category.groups["g"].findings["ece"].estimate == pytest.approx(expected)
    for row in (one, two, overall):
        for group in row.groups.values():
            for finding in group.findings.values():
                assert finding.low is not None
                assert finding.high is not None
                assert finding.low <= finding.estimate <= finding.high


def test_positions_have_no_measures_of_classes() -> None:
    of = task(3)
    found = wording_measures(replace(of, by_position=(True,) * 5))
    assert tuple(found) == MEASURES[:4]


def test_many_examples_are_drawn_in_blocks_with_the_same_precision() -> None:
    few, many = (answer_quality([task(4, 1, count, spread=0.0)])[0].groups["g"] for count in (1000, 4000))
    errors = [each.findings["brier"].standard_error or 0.0 for each in (few, many)]
    assert errors[1] < 0.65 * errors[0]


@pytest.mark.slow
def test_coverage_of_intervals_with_other_wordings_and_examples() -> None:
    truth = wording_measures(task(99, 400, 1000))
    hits: dict[str, list[bool]] = {name: [] for name in ("brier", "log_loss", "macro_f1", "balanced_accuracy")}
    for grid in range(200):
        group = answer_quality([task(1000 + grid, 8, 60)])[0].groups["g"]
        for name, each in hits.items():
            low, high = group.findings[name].low, group.findings[name].high
            assert low is not None
            assert high is not None
            each.append(low <= truth[name].mean() <= high)
    coverage = {name: float(np.mean(each)) for name, each in hits.items()}
    assert min(coverage.values()) >= 0.9, coverage
