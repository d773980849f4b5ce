"""The scorer `paper`: the rule of the paper's released code."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.scoring.scorer import Scorer


class Paper(Scorer):
    """Compares products of the option tokens' probabilities along the model's own greedy decoding.

    The model multiplies the probabilities (`model_method`); the choice is the largest product.
    """

    name = "paper"
    model_method = "paper"
    compares_logprobs = True

    def values(self, option_logprobs: Sequence[float], options: Sequence[str]) -> list[float]:
        """The log-probabilities as they are."""
        del options
        return [float(value) for value in option_logprobs]


SCORER = Paper()
