"""Scorers of runs that `phraseproof calibrate` derived: `loglikelihood+batch` and its like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from phraseproof.core import Outcome
from phraseproof.scoring.scorer import Scorer

PLUS = "+"
"""Between the scorer of the run and the method of calibration."""


class CalibratedScorer(Scorer):
    """Compares log-probabilities that were corrected after they were stored.

    No model gives them, so no evaluation can use this scorer: it names and reads what a derived run holds.

    Args:
        base: the scorer of the run that was corrected.
        method: the name of the method, without a plus sign.
    """

    compares_logprobs = True
    is_derived = True

    def __init__(self, base: Scorer, method: str) -> None:
        self.name = f"{base.name}{PLUS}{method}"
        self.model_method = base.model_method
        self.reading = base.reading

    def values(self, option_logprobs: Sequence[float], options: Sequence[str]) -> list[float]:
        """The corrected log-probabilities as they are."""
        del options
        return [float(value) for value in option_logprobs]

    def predict(self, outcome: Outcome, choices: Sequence[str] = ()) -> Outcome:
        """The outcome with its choice; none where no option has any probability."""
        if max(outcome.option_logprobs, default=float("-inf")) == float("-inf"):
            return replace(outcome, predicted=None)
        return super().predict(outcome, choices)

    def can_derive_from(self, other: Scorer) -> bool:
        """Never: a correction is estimated on many outcomes."""
        del other
        return False
