"""The scorer `generate`: the model writes an answer, and the option is read from its text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from phraseproof.core import Outcome
from phraseproof.scoring.extraction import read_option
from phraseproof.scoring.scorer import Reading, Scorer


class Generate(Scorer):
    """Reads the chosen option from the generated text (`extraction.py`). A text that names none is unread."""

    name = "generate"
    model_method = "generate"
    reading = Reading.TEXT

    def values(self, option_logprobs: Sequence[float], options: Sequence[str]) -> list[float]:
        """There are none: a text has no number for each option.

        Raises:
            ValueError: always.
        """
        del option_logprobs, options
        raise ValueError("a generated text has no value for each option")

    def predict(self, outcome: Outcome, choices: Sequence[str] = ()) -> Outcome:
        """The outcome with the option that its text names; unchanged where there are no options."""
        if outcome.text is None:
            raise ValueError("there is no text to read an answer from")
        if not outcome.options:  # free text: the metric judges it as it is
            return outcome
        return replace(outcome, predicted=read_option(outcome.text, outcome.options, choices))


SCORER = Generate()
