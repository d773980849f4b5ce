"""The base class of scorers: rules that choose an option by the options' log-probabilities."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from phraseproof.core import Outcome

AUTO = "auto"
"""Asks for the default scorer of the most exact method that the model offers."""


class Reading(StrEnum):
    """What of a model an answer is read from. Numbers from different sources do not compare."""

    OPTIONS = "log-likelihoods of options"
    FIRST_TOKEN = "probabilities of the first token"  # noqa: S105 - not a secret
    TEXT = "generated texts"


class Scorer(ABC):
    """Reads a choice from the log-probabilities of the options.

    Two scorers with the same `model_method` need the same numbers of the model, so the outcomes of one are derived from
    stored outcomes of the other without a model call.

    Attributes:
        name: as users name it (`--scoring`).
        model_method: the method to request from `ScoresOptions.score_options`: `loglikelihood`, `paper` or
            `first_token`; `generate` asks for a text.
        reading: what the answer is read from.
        compares_logprobs: `values` returns the log-probabilities as they are.
        is_derived: it reads outcomes that were computed from those of a run, and no evaluation can use it.
    """

    name: str
    model_method: str
    reading: Reading = Reading.OPTIONS
    compares_logprobs: ClassVar[bool] = False
    is_derived: ClassVar[bool] = False

    @abstractmethod
    def values(self, option_logprobs: Sequence[float], options: Sequence[str]) -> list[float]:
        """The numbers that are compared; the option with the largest one is chosen.

        Args:
            option_logprobs: natural logs, parallel to `options`; minus infinity is allowed.
            options: the answers as they were scored.
        """

    def choose(self, option_logprobs: Sequence[float], options: Sequence[str]) -> int:
        """The index of the option that the model chooses; of equal options, the first.

        Raises:
            ValueError: no options, a different number of log-probabilities, or a value that is not a number.
        """
        if not options or len(option_logprobs) != len(options):
            raise ValueError(f"expected one log-probability per option, got {len(option_logprobs)} for {len(options)}")
        values = self.values(option_logprobs, options)
        if any(math.isnan(value) for value in values):
            raise ValueError("a log-probability is not a number")
        return values.index(max(values))

    def predict(self, outcome: Outcome, choices: Sequence[str] = ()) -> Outcome:
        """The outcome with the choice that the scorer reads from it. Its score is not set yet.

        Args:
            outcome: what the model gave.
            choices: the texts of the example's choices, parallel to the outcome's options.
        """
        del choices  # only texts may name them
        return replace(outcome, predicted=self.choose(outcome.option_logprobs, outcome.options))

    def can_derive_from(self, other: Scorer) -> bool:
        """Whether this scorer's outcomes follow from stored outcomes of `other`."""
        return self.model_method == other.model_method
