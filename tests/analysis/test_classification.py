"""Measures of classes against scikit-learn, and by hand where scikit-learn has none."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn import metrics

from phraseproof.analysis.answers import TaskAnswers
from phraseproof.analysis.classification import (
    accuracy,
    answer_shares,
    balanced_accuracy,
    constant_wordings,
    macro_f1,
    most_chosen_share,
)


def _macro_f1(right: np.ndarray, chosen: np.ndarray) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(metrics.f1_score(right, chosen, average="macro"))


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("size", [1, 5, 200])
def test_measures_are_those_of_scikit_learn(classes: int, size: int):
    """Also where classes are never right, never chosen, or neither."""
    draw = np.random.default_rng([classes, size])
    right = draw.integers(0, max(2, classes - 1), (6, size))
    chosen = np.where(draw.random((6, size)) < 0.5, right, draw.integers(1, classes, (6, size)))
    chosen[0] = 1
    matrices = np.stack(
        [metrics.confusion_matrix(one, other, labels=range(classes)) for one, other in zip(right, chosen, strict=True)]
    )
    for place, (one, other) in enumerate(zip(right, chosen, strict=True)):
        assert accuracy(matrices)[place] == pytest.approx(metrics.accuracy_score(one, other))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert balanced_accuracy(matrices)[place] == pytest.approx(metrics.balanced_accuracy_score(one, other))
        assert macro_f1(matrices)[place] == pytest.approx(_macro_f1(one, other))
        shares = np.bincount(other, minlength=classes) / size
        np.testing.assert_allclose(answer_shares(matrices)[place], shares)
        assert most_chosen_share(matrices)[place] == shares.max()


def test_a_constant_answer_has_the_base_rate_and_no_skill():
    """39 of 40 answers are "billing", of which 24 are right: accuracy says 0.625, the classes say 0.5."""
    confusion = np.array([[[24, 0], [15, 1]]])
    assert accuracy(confusion)[0] == 25 / 40
    assert balanced_accuracy(confusion)[0] == pytest.approx((1 + 1 / 16) / 2)
    answers = TaskAnswers("t", "C", 0, ("billing", "bug"), False, ("g",), ("c/w",), confusion, 0.5, 0.6, 0)
    (found,) = constant_wordings(answers)
    assert found == ("g", "c/w", "billing", 39 / 40)
    assert constant_wordings(answers, share=0.98) == ()
