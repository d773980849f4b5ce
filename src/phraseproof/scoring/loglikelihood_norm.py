"""The scorer `loglikelihood_norm`: log-probabilities are divided by the options' lengths first."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.scoring.scorer import Scorer


class LoglikelihoodNorm(Scorer):
    """Compares log-probabilities per byte, so that long options are not at a disadvantage.

    The length is that of the option's UTF-8 encoding in bytes, as in lm-evaluation-harness's `acc_bytes`. Its
    `acc_norm` counts characters, which is the same for ASCII.
    """

    name = "loglikelihood_norm"
    model_method = "loglikelihood"

    def values(self, option_logprobs: Sequence[float], options: Sequence[str]) -> list[float]:
        """Each log-probability divided by its option's length in bytes, at least 1."""
        return [
            float(value) / max(1, len(option.encode())) for value, option in zip(option_logprobs, options, strict=True)
        ]


SCORER = LoglikelihoodNorm()
