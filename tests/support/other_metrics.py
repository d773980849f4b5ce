"""Metrics in other units than percent."""

from __future__ import annotations

from phraseproof.core import Outcome
from phraseproof.scoring.metric import Metric


class Letters(Metric):
    """The number of letters of an answer."""

    name = "length"
    unit = "letters"
    high = 1000.0

    def score(self, outcome: Outcome) -> float:
        return float(len(outcome.text or ""))
