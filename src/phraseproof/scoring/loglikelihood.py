"""The scorer `loglikelihood`: the option with the largest log-probability is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.scoring.scorer import Scorer


class Loglikelihood(Scorer):
    """Compares the sums of the option tokens' log-probabilities."""

    name = "loglikelihood"
    model_method = "loglikelihood"
    compares_logprobs = True

    def values(self, option_logprobs: Sequence[float], options: Sequence[str]) -> list[float]:
        """The log-probabilities as they are."""
        del options
        return [float(value) for value in option_logprobs]


SCORER = Loglikelihood()
