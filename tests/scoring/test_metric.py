from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from phraseproof.core import Outcome
from phraseproof.errors import NotEnoughDataError
from phraseproof.scoring.accuracy import METRIC
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.scoring.metric import Metric
from phraseproof.scoring.registry import metric
from support.other_metrics import ERRORS, LETTERS

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TotalWords(Metric):
    """A corpus metric: words in common over words, of all examples together."""

    name = "words"
    unit = "words"
    is_corpus = True

    def score(self, outcome: Outcome) -> float:
        return len(set((outcome.text or "").split()) & set((outcome.reference or "").split()))

    def example_statistics(self, outcome: Outcome) -> tuple[float, ...]:
        return self.score(outcome), len((outcome.reference or "").split())

    def aggregate(self, sums: NDArray[np.float64], examples: int) -> NDArray[np.float64]:
        return sums[..., 0] / sums[..., 1]


def test_a_corpus_metric_is_not_a_mean_of_rows() -> None:
    rows = [Outcome("1", np.nan, text="a", reference="a"), Outcome("2", np.nan, text="x", reference="a b c")]
    judged = TotalWords().judge(rows)
    assert [(row.score, row.statistics) for row in judged] == [(1.0, (1.0, 1.0)), (0.0, (0.0, 3.0))]
    sums = np.array([row.statistics for row in judged]).sum(axis=0)
    assert TotalWords().aggregate(sums, 2) == 0.25
    assert TotalWords().scale == 1.0


def test_by_default_the_aggregate_is_the_mean_score() -> None:
    judged = METRIC.judge(
        [Outcome("1", np.nan, option_credits=(1.0, 0.0), predicted=choice) for choice in (0, 1, 1, 1)]
    )
    assert [row.statistics for row in judged] == [()] * 4
    assert METRIC.aggregate(np.array([[sum(row.score for row in judged)]]), 4).tolist() == [0.25]


def test_a_test_on_right_and_wrong_names_the_metric() -> None:
    METRIC.require_binary("McNemar's test")
    with pytest.raises(NotEnoughDataError, match="McNemar's test needs outcomes of 0 or 1, and the metric 'words'"):
        TotalWords().require_binary("McNemar's test")


def test_two_points_are_the_margin_of_percent_and_nothing_is_known_of_other_units() -> None:
    assert ACCURACY.default_margin == 0.02
    assert LETTERS.default_margin is None
    assert (LETTERS.benefit(3.0), ERRORS.benefit(3.0)) == (3.0, -3.0)


def test_what_needs_scores_of_examples_refuses_a_corpus_metric() -> None:
    METRIC.require_mean("the choice of a wording")
    with pytest.raises(
        NotEnoughDataError, match=r"the choice of a wording needs .* words is computed from all examples"
    ):
        TotalWords().require_mean("the choice of a wording")


def test_a_metric_of_texts_does_not_see_thoughts() -> None:
    texts = ("<think>A cat? No.</think>\n\nA dog.", "A dog.", "<think>A dog.", "<think>x</think> A cat.")
    outcomes = [Outcome(str(n), math.nan, text=text, reference="A dog.") for n, text in enumerate(texts)]
    judged = metric("exact_match").judge(outcomes)
    assert [each.score for each in judged] == [1.0, 1.0, 0.0, 0.0]
    assert [each.text for each in judged] == list(texts)  # stored as they were written
    with_thoughts, plain = metric("bleu").judge(outcomes[:2])
    assert with_thoughts.statistics == plain.statistics != ()
