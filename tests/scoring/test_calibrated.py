"""Scorers of derived runs: found by their names, read as the scorer below them, and never asked of a model."""

from __future__ import annotations

import math

import pytest

from phraseproof.core import Outcome
from phraseproof.errors import UsageError
from phraseproof.scoring.registry import reads_text, scorer, scorer_names
from phraseproof.scoring.scorer import Reading


def test_the_name_says_which_scorer_was_corrected_and_how() -> None:
    found = scorer("loglikelihood+prior-matching")
    assert (found.name, found.model_method) == ("loglikelihood+prior-matching", "loglikelihood")
    assert found.reading is Reading.OPTIONS
    assert found.is_derived
    assert not scorer("loglikelihood").is_derived
    assert scorer("first_token+batch").reading is Reading.FIRST_TOKEN
    assert not reads_text("loglikelihood+batch")
    assert "loglikelihood+batch" not in scorer_names()


def test_the_corrected_log_probabilities_are_compared_as_they_are() -> None:
    found = scorer("loglikelihood_norm+batch")
    outcome = Outcome("e", 0.0, options=("long option", "b"), option_logprobs=(-1.5, -1.0))
    assert found.predict(outcome).predicted == 1
    unread = Outcome("e", 0.0, options=("a", "b"), option_logprobs=(-math.inf, -math.inf))
    assert found.predict(unread).predicted is None


def test_it_follows_from_no_other_scorer() -> None:
    assert not scorer("loglikelihood+batch").can_derive_from(scorer("loglikelihood"))
    assert not scorer("loglikelihood_norm").can_derive_from(scorer("generate"))


def test_an_unknown_scorer_below_it_is_one_line() -> None:
    for name in ("likelihood+batch", "+batch", "loglikelihood+"):
        with pytest.raises(UsageError, match="unknown scoring method"):
            scorer(name)
