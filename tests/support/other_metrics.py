"""Metrics that are not in percent."""

from __future__ import annotations

from phraseproof.core import Outcome
from phraseproof.scoring.metric import Metric


class LetterCount(Metric):
    """How many letters the chosen option has."""

    name = "length"
    unit = "letters"
    high = 1000.0

    def score(self, outcome: Outcome) -> float:
        """Of the option's text."""
        assert outcome.predicted is not None
        return float(len(outcome.options[outcome.predicted]))


class ErrorCount(LetterCount):
    """A count of which less is better."""

    name = "errors"
    unit = "errors"
    higher_is_better = False


class AnswerLength(Metric):
    """How many letters the text of an answer has."""

    name = "length"
    unit = "letters"
    high = 1000.0

    def score(self, outcome: Outcome) -> float:
        """Of the answer, which need not be an option."""
        return float(len(outcome.text or ""))


class Mistakes(AnswerLength):
    """A stored count of which less is better."""

    name = "mistakes"
    unit = "mistakes"
    higher_is_better = False

    def score(self, outcome: Outcome) -> float:
        """As stored."""
        return outcome.score


LETTERS = LetterCount()
ERRORS = ErrorCount()
