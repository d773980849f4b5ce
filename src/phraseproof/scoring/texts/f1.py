"""The metric `f1`: words in common with the nearest reference, in the normal form of SQuAD."""

from __future__ import annotations

from collections import Counter

from phraseproof.core import Outcome
from phraseproof.scoring.metric import Metric
from phraseproof.scoring.texts.normalization import normalized, text_of


class F1(Metric):
    """The harmonic mean of precision and recall of words, for the best of the references."""

    name = "f1"
    judges_text = True

    def score(self, outcome: Outcome) -> float:
        """From 0 to 1."""
        found = normalized(text_of(outcome, self.name)).split()
        return max(_f1(found, normalized(reference).split()) for reference in outcome.references)


def _f1(found: list[str], wanted: list[str]) -> float:
    if not found or not wanted:
        return float(found == wanted)
    common = (Counter(found) & Counter(wanted)).total()
    return 2 * common / (len(found) + len(wanted))


METRIC = F1()
