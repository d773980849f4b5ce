from __future__ import annotations

import math

import pytest

from phraseproof.core import Outcome
from phraseproof.scoring.accuracy import METRIC


def test_the_score_is_the_credit_of_the_choice() -> None:
    outcome = Outcome("1", math.nan, ("a", "b"), (-1.0, -2.0), option_credits=(0.25, 1.0), predicted=0, target=1)
    assert METRIC.score(outcome) == 0.25


def test_an_outcome_without_a_choice_has_no_accuracy() -> None:
    with pytest.raises(ValueError, match="needs a predicted option"):
        METRIC.score(Outcome("1", math.nan, text="free"))


def test_it_is_shown_in_percent() -> None:
    assert (METRIC.unit, METRIC.scale, METRIC.low, METRIC.high, METRIC.is_binary) == ("%", 100.0, 0.0, 1.0, True)


def test_an_unread_answer_has_no_credit() -> None:
    unread = Outcome("e", math.nan, ("A", "B"), option_credits=(1.0, 0.5), text="I do not know")
    assert METRIC.score(unread) == 0.0
