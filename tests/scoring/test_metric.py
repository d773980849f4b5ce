from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from phraseproof.core import Outcome
from phraseproof.errors import NotEnoughDataError
from phraseproof.scoring.accuracy import METRIC
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.scoring.metric import Metric
from support.other_metrics import ERRORS, LETTERS

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TotalWords(Metric):
    """A corpus metric: words in common over words, of all examples together."""

    name = "words"
    unit = "words"

    def score(self, outcome: Outcome) -> float:
        return len(set((outcome.text or "").split()) & set((outcome.reference or "").split()))

    def example_statistics(self, outcome: Outcome) -> tuple[float, ...]:
        return outcome.score, len((outcome.reference or "").split())

    def aggregate(self, statistics: NDArray[np.float64]) -> float:
        return float(statistics[:, 0].sum() / statistics[:, 1].sum())


def test_a_corpus_metric_is_not_a_mean_of_rows() -> None:
    rows = [Outcome("1", 1.0, text="a", reference="a"), Outcome("2", 0.0, text="x", reference="a b c")]
    statistics = np.array([TotalWords().example_statistics(row) for row in rows])
    assert TotalWords().aggregate(statistics) == 0.25
    assert TotalWords().scale == 1.0


def test_by_default_the_aggregate_is_the_mean_score() -> None:
    rows = [Outcome("1", 1.0), Outcome("2", 0.0), Outcome("3", 0.0), Outcome("4", 0.0)]
    assert METRIC.aggregate(np.array([METRIC.example_statistics(row) for row in rows])) == 0.25


def test_a_test_on_right_and_wrong_names_the_metric() -> None:
    METRIC.require_binary("McNemar's test")
    with pytest.raises(NotEnoughDataError, match="McNemar's test needs outcomes of 0 or 1, and the metric 'words'"):
        TotalWords().require_binary("McNemar's test")


def test_two_points_are_the_margin_of_percent_and_nothing_is_known_of_other_units() -> None:
    assert ACCURACY.default_margin == 0.02
    assert LETTERS.default_margin is None
    assert (LETTERS.benefit(3.0), ERRORS.benefit(3.0)) == (3.0, -3.0)
