"""The metric `accuracy`: the credit that a task gives for the chosen option."""

from __future__ import annotations

from phraseproof.core import Outcome
from phraseproof.scoring.metric import Metric


class Accuracy(Metric):
    """1.0 or 0.0 if one option is right, otherwise the task's credit for the chosen option."""

    name = "accuracy"
    is_binary = True

    def score(self, outcome: Outcome) -> float:
        """The credit of the predicted option.

        Raises:
            ValueError: the outcome has no prediction.
        """
        if outcome.predicted is None:
            raise ValueError("accuracy needs a predicted option")
        return float(outcome.option_credits[outcome.predicted])


METRIC = Accuracy()
