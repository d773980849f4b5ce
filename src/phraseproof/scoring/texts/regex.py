r"""The metric `regex:PATTERN`: whether a pattern finds the answer in the text.

Three forms, by what the pattern has:

* `{reference}`: 1 where the pattern is found with one of the references in this place, `regex:Answer: {reference}\b`;
* a group: what the first group of the last match holds must equal a reference, in the normal form of `exact_match`,
  `regex:Answer: (.+)`;
* neither: 1 where the pattern is found, whatever the reference is, `regex:^\S+$`.

Patterns are Python's, with a time limit (`patterns.py`). Flags are written into them: `regex:(?i)yes`.
"""

from __future__ import annotations

import re

from phraseproof.core import Outcome
from phraseproof.scoring.metric import Metric
from phraseproof.scoring.patterns import SlowPatternError, pattern
from phraseproof.scoring.texts.normalization import normalized, text_of

_REFERENCE = "{reference}"
_WHERE = "--metric regex:PATTERN"


class Regex(Metric):
    """1 where the pattern finds the answer, and 0 elsewhere.

    Args:
        text: a regular expression of Python.

    Raises:
        UsageError: no regular expression.
    """

    is_binary = True
    judges_text = True

    def __init__(self, text: str) -> None:
        self.name = f"regex:{text}"
        self._text = text
        found = pattern(text.replace(_REFERENCE, "x"), _WHERE)
        self._pattern = None if _REFERENCE in text else found

    def score(self, outcome: Outcome) -> float:
        """1.0 or 0.0.

        Raises:
            SlowPatternError: the pattern takes too long on the text.
        """
        try:
            return float(self._finds(outcome))
        except SlowPatternError as error:
            raise error.of_example(outcome.example_id) from None

    def _finds(self, outcome: Outcome) -> bool:
        text = text_of(outcome, "regex")
        if self._pattern is None:
            patterns = [self._text.replace(_REFERENCE, re.escape(each)) for each in outcome.references]
            return any(pattern(each, _WHERE).finds(text) for each in patterns)
        if not self._pattern.groups:
            return self._pattern.finds(text)
        found = self._pattern.last(text)
        answer = normalized(found.group(1) or "") if found else None
        return any(answer == normalized(reference) for reference in outcome.references)


def make(argument: str) -> Metric:
    """The metric of a pattern."""
    return Regex(argument)
