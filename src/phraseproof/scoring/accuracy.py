"""The metric `accuracy`: the credit that a task gives for the chosen option."""

from __future__ import annotations

from phraseproof.core import Outcome
from phraseproof.scoring.metric import Metric


class Accuracy(Metric):
    """1.0 or 0.0 if one option is right, otherwise the task's credit for the chosen option.

    An unread answer, in which no option was found, has no credit. Reports say how many there are.
    """

    name = "accuracy"
    is_binary = True

    def score(self, outcome: Outcome) -> float:
        """The credit of the predicted option; 0 for an unread answer.

        Raises:
            ValueError: the outcome has no prediction, and none was looked for in a text of the model's.
        """
        if outcome.predicted is None and outcome.options and outcome.text is not None:
            return 0.0
        if outcome.predicted is None:
            raise ValueError("accuracy needs a predicted option")
        return float(outcome.option_credits[outcome.predicted])


METRIC = Accuracy()
