"""The scorer `first_token`: the option that is the most probable first token of the answer is chosen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from phraseproof.core import Outcome
from phraseproof.scoring.scorer import Reading, Scorer


class FirstToken(Scorer):
    """Compares the probabilities that the answer's first token is the option.

    A server lists the most probable tokens only. An option's probability is then known within bounds: at least that of
    its spellings in the list, at most that and what the list leaves open. The choice is by the lower bounds. It is open
    if another option's upper bound reaches the chosen option's lower bound. Where no option is in the list, there is no
    choice, and the answer is unread.
    """

    name = "first_token"
    model_method = "first_token"
    compares_logprobs = True
    reading = Reading.FIRST_TOKEN

    def values(self, option_logprobs: Sequence[float], options: Sequence[str]) -> list[float]:
        """The log-probabilities as they are."""
        del options
        return [float(value) for value in option_logprobs]

    def predict(self, outcome: Outcome, choices: Sequence[str] = ()) -> Outcome:
        """The outcome with its choice, and whether that is open."""
        del choices
        if max(outcome.option_logprobs, default=-math.inf) == -math.inf:
            return replace(outcome, predicted=None, is_open=True)
        chosen = self.choose(outcome.option_logprobs, outcome.options)
        upper = outcome.option_upper_logprobs or outcome.option_logprobs
        others = [value for index, value in enumerate(upper) if index != chosen]
        return replace(
            outcome, predicted=chosen, is_open=max(others, default=-math.inf) >= outcome.option_logprobs[chosen]
        )


SCORER = FirstToken()
