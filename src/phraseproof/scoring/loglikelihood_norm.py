"""The scorer `loglikelihood_norm`: log-probabilities are divided by the options' lengths first.

`loglikelihood_norm` counts bytes, and `loglikelihood_norm:characters` counts characters.
"""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.errors import UsageError
from phraseproof.scoring.scorer import Scorer

_CHARACTERS = "characters"


class LoglikelihoodNorm(Scorer):
    """Compares log-probabilities per byte or character, so that long options are not at a disadvantage.

    Bytes are those of the option's UTF-8 encoding, as in lm-evaluation-harness's `acc_bytes`. Its `acc_norm` counts
    characters, which is the same for ASCII.

    Args:
        by_character: count characters.
    """

    name = "loglikelihood_norm"
    model_method = "loglikelihood"

    def __init__(self, *, by_character: bool = False) -> None:
        self._by_character = by_character
        if by_character:
            self.name = f"{LoglikelihoodNorm.name}:{_CHARACTERS}"

    def values(self, option_logprobs: Sequence[float], options: Sequence[str]) -> list[float]:
        """Each log-probability divided by its option's length, at least 1."""
        lengths = [len(option if self._by_character else option.encode()) for option in options]
        return [float(value) / max(1, length) for value, length in zip(option_logprobs, lengths, strict=True)]


SCORER = LoglikelihoodNorm()


def make(argument: str) -> Scorer:
    """The scorer that counts what the argument names.

    Raises:
        UsageError: the argument is not `characters`.
    """
    if argument != _CHARACTERS:
        raise UsageError(
            f"the scoring method 'loglikelihood_norm' cannot count {argument!r}",
            expected=f"loglikelihood_norm:{_CHARACTERS}, or loglikelihood_norm, which counts bytes",
            where="--scoring",
        )
    return LoglikelihoodNorm(by_character=True)
