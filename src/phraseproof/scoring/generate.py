"""The scorer `generate`: the model writes an answer, and the option is read from its text.

`generate` reads as `auto` does (`text_readings.py`), and `generate:last_line`, `generate:regex:PATTERN` and so on in
another way. The same texts serve all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from phraseproof.core import Outcome
from phraseproof.scoring.patterns import SlowPatternError
from phraseproof.scoring.scorer import Reading, Scorer
from phraseproof.scoring.text_readings import AUTO, TextReading, text_reading


class Generate(Scorer):
    """Reads the chosen option from the generated text. A text that names none is unread.

    Args:
        how: the way in which the option is read.
    """

    name = "generate"
    model_method = "generate"
    reading = Reading.TEXT

    def __init__(self, how: TextReading | None = None) -> None:
        self.how = how or text_reading(AUTO)
        if self.how.name != AUTO:
            self.name = f"{Generate.name}:{self.how.name}"

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
        try:
            chosen = self.how.read(outcome.text, outcome.options, choices, is_cut=bool(outcome.is_cut))
        except SlowPatternError as error:
            raise error.of_example(outcome.example_id) from None
        return replace(outcome, predicted=chosen)


SCORER = Generate()


def make(argument: str) -> Scorer:
    """The scorer that reads in the way that the argument names."""
    return Generate(text_reading(argument))
