"""Scores of probabilities, compared with scikit-learn and with plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.metrics import brier_score_loss, log_loss

from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.probability_scores import (
    brier_scores,
    calibration_error,
    confidences,
    equal_mass_bins,
    equal_width_bins,
    log_losses,
)


def sample(seed: int = 0, examples: int = 83, options: int = 4) -> tuple[Floats, Ints]:
    draw = np.random.default_rng(seed)
    logprobs = np.asarray(log_softmax(2 * draw.normal(size=(examples, options)), axis=1))
    return logprobs, draw.integers(0, options, size=examples).astype(np.intp)


def test_brier_score_and_log_loss_are_scikit_learns() -> None:
    logprobs, targets = sample()
    labels = list(range(4))
    expected = brier_score_loss(targets, np.exp(logprobs), labels=labels)
    assert brier_scores(logprobs, targets).mean() == pytest.approx(expected)
    assert log_losses(logprobs, targets).mean() == pytest.approx(log_loss(targets, np.exp(logprobs), labels=labels))
    both = brier_scores(np.stack([logprobs, logprobs[::-1]]), targets)
    assert both.shape == (2, 83)
    assert both[0].tolist() == brier_scores(logprobs, targets).tolist()


def test_an_option_that_is_ruled_out_costs_what_scikit_learn_says() -> None:
    logprobs = np.array([[0.0, -np.inf], [0.0, -np.inf]])
    targets = np.array([1, 0], dtype=np.intp)
    assert brier_scores(logprobs, targets).tolist() == [2.0, 0.0]
    assert log_losses(logprobs, targets).mean() == pytest.approx(log_loss(targets, np.exp(logprobs), labels=[0, 1]))


@pytest.mark.parametrize("equal_mass", [False, True])
def test_calibration_error_is_that_of_a_plain_loop(equal_mass: bool) -> None:
    logprobs, targets = sample(1)
    confidence = confidences(logprobs)
    right = (logprobs.argmax(axis=1) == targets).astype(np.float64)
    members: list[list[int]] = []
    if equal_mass:
        order = sorted(range(83), key=lambda place: confidence[place])
        members = [[order[rank] for rank in range(83) if rank * 15 // 83 == number] for number in range(15)]
        assert {len(each) for each in members} == {5, 6}
    else:
        for number in range(15):
            low, high = number / 15, (number + 1) / 15
            members.append([place for place in range(83) if low < confidence[place] <= high])
    expected = sum(len(each) / 83 * abs(confidence[each].mean() - right[each].mean()) for each in members if each)
    bins = equal_mass_bins(confidence) if equal_mass else equal_width_bins(confidence)
    assert calibration_error(confidence, right, bins) == pytest.approx(expected)


def test_ends_of_bins_belong_to_the_lower_bin_and_one_is_in_the_last() -> None:
    assert equal_width_bins(np.array([0.25, 0.2500001, 1.0, 0.0]), 4).tolist() == [0, 1, 3, 0]
