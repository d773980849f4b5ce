r"""The metric `regex:PATTERN`: whether a pattern finds the answer in the text.

Three forms, by what the pattern has:

* `{reference}`: 1 where the pattern is found with one of the references in this place, `regex:Answer: {reference}\b`;
* a group: what the first group of the last match holds must equal a reference, in the normal form of `exact_match`,
  `regex:Answer: (.+)`;
* neither: 1 where the pattern is found, whatever the reference is, `regex:^\S+$`.

Patterns are Python's. Flags are written into them: `regex:(?i)yes`.
"""

from __future__ import annotations

import re

from phraseproof.core import Outcome
from phraseproof.errors import UsageError
from phraseproof.scoring.metric import Metric
from phraseproof.scoring.texts.normalization import normalized, text_of

_REFERENCE = "{reference}"


class Regex(Metric):
    """1 where the pattern finds the answer, and 0 elsewhere.

    Args:
        pattern: a regular expression of Python.

    Raises:
        UsageError: no regular expression.
    """

    is_binary = True
    judges_text = True

    def __init__(self, pattern: str) -> None:
        self.name = f"regex:{pattern}"
        self._pattern = pattern
        try:
            found = re.compile(pattern.replace(_REFERENCE, "x"))
        except re.error as error:
            raise UsageError(
                f"no regular expression: {error}", got=repr(pattern), where="--metric regex:PATTERN"
            ) from None
        self._compiled = None if _REFERENCE in pattern else found

    def score(self, outcome: Outcome) -> float:
        """1.0 or 0.0."""
        text = text_of(outcome, "regex")
        if self._compiled is None:
            patterns = [self._pattern.replace(_REFERENCE, re.escape(each)) for each in outcome.references]
            return float(any(re.search(pattern, text) for pattern in patterns))
        if not self._compiled.groups:
            return float(self._compiled.search(text) is not None)
        found = list(self._compiled.finditer(text))
        answer = normalized(found[-1].group(1) or "") if found else None
        return float(any(answer == normalized(reference) for reference in outcome.references))


def make(argument: str) -> Metric:
    """The metric of a pattern."""
    return Regex(argument)
