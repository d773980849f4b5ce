"""Accuracy of multiple-choice answers: which option a model chose, and what credit that choice earns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from phraseproof.errors import UsageError

SCORING_METHODS: Mapping[str, str] = MappingProxyType(
    {
        "loglikelihood": "loglikelihood",
        "loglikelihood_norm": "loglikelihood",
        "paper": "paper",
    }
)
"""The scoring methods that users name -> the method to ask of `ScoresOptions.score_options`."""


def model_method(method: str) -> str:
    """The method to ask a model for, given what the user named.

    Raises:
        UsageError: an unknown name.
    """
    if method not in SCORING_METHODS:
        raise UsageError(
            f"unknown scoring method '{method}'",
            expected=f"one of: {', '.join(SCORING_METHODS)}",
            where="--scoring",
        )
    return SCORING_METHODS[method]


def choose(option_logprobs: Sequence[float], options: Sequence[str], method: str) -> int:
    """The index of the option that a model chooses.

    `loglikelihood` and `paper` take the largest value. `loglikelihood_norm` first divides by the option's length in
    UTF-8 bytes, as lm-evaluation-harness's `acc_bytes` does; its `acc_norm` divides by characters, which is the same
    for ASCII. Ties go to the first option.

    Args:
        option_logprobs: natural logs, parallel to `options`; minus infinity is allowed.
        options: the answers as they were scored.
        method: a name in `SCORING_METHODS`.

    Raises:
        UsageError: an unknown method.
        ValueError: no options, a different number of values, or one that is not a number.
    """
    model_method(method)
    if not options or len(option_logprobs) != len(options):
        raise ValueError(f"expected one log-probability an option, got {len(option_logprobs)} for {len(options)}")
    values = option_values(option_logprobs, options, method)
    if any(math.isnan(value) for value in values):
        raise ValueError("a log-probability is not a number")
    return values.index(max(values))


def option_values(option_logprobs: Sequence[float], options: Sequence[str], method: str) -> list[float]:
    """What `choose` compares: the log-probabilities, or each divided by its option's length in UTF-8 bytes."""
    values = [float(value) for value in option_logprobs]
    if method == "loglikelihood_norm":
        values = [value / max(1, len(option.encode())) for value, option in zip(values, options, strict=True)]
    return values


def accuracy(predicted: int, option_scores: Sequence[float]) -> float:
    """The credit of the chosen option: 1.0 or 0.0 where one is right, else what the task gives for it."""
    return float(option_scores[predicted])
