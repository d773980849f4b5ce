"""The metric `exact_match`: whether the text equals a reference, in the normal form of SQuAD."""

from __future__ import annotations

from phraseproof.core import Outcome
from phraseproof.scoring.metric import Metric
from phraseproof.scoring.texts.normalization import normalized, text_of


class ExactMatch(Metric):
    """1 where the text equals one of the references without case, punctuation and articles; else 0."""

    name = "exact_match"
    is_binary = True
    judges_text = True

    def score(self, outcome: Outcome) -> float:
        """1.0 or 0.0."""
        found = normalized(text_of(outcome, self.name))
        return float(any(found == normalized(reference) for reference in outcome.references))


METRIC = ExactMatch()
