"""The metric `chrf`: corpus chrF2 as sacrebleu computes it (Popovic 2015), and `chrf:2`, which is chrF2++.

sacrebleu counts n-grams. `aggregate` repeats its formula on arrays, because intervals take it thousands of times; a
test compares the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from phraseproof.core import Outcome
from phraseproof.errors import MissingExtraError, UsageError
from phraseproof.scoring.metric import Metric
from phraseproof.scoring.texts.normalization import text_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sacrebleu.metrics.chrf import CHRF

_BETA_SQUARED = 4.0


class Chrf(Metric):
    """F of n-grams of 1 to 6 characters over all examples, in which recall counts twice as much as precision.

    Args:
        word_order: the longest n-gram of words that also counts; 0 for characters only, 2 for chrF++.
    """

    judges_text = True
    is_corpus = True

    def __init__(self, word_order: int = 0) -> None:
        self.name = f"chrf:{word_order}" if word_order else "chrf"
        self._word_order = word_order

    def require(self, _references: Sequence[str], /) -> None:
        """Load the package, so that a missing one is reported before a model is asked."""
        _ = self._chrf

    def score(self, outcome: Outcome) -> float:
        """Of the single text, from 0 to 1.

        Raises:
            MissingExtraError: sacrebleu is not installed.
        """
        found = self._chrf.sentence_score(text_of(outcome, self.name), list(outcome.references))
        return min(1.0, float(found.score) / 100)

    def example_statistics(self, outcome: Outcome) -> tuple[float, ...]:
        """Of each order the n-grams of the text, of its best reference, and of both."""
        references = [[each] for each in outcome.references]
        # sacrebleu offers these counts in no public way.
        found = self._chrf._extract_corpus_statistics(  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
            [text_of(outcome, self.name)], references
        )
        return tuple(float(value) for value in cast("list[list[int]]", found)[0])

    def aggregate(self, sums: NDArray[np.float64], _examples: int, /) -> NDArray[np.float64]:
        """Corpus chrF from 0 to 1: F of the mean precision and recall over orders that text and reference have."""
        counts = sums.reshape(*sums.shape[:-1], -1, 3)
        text, reference, shared = counts[..., 0], counts[..., 1], counts[..., 2]
        is_known = (text > 0) & (reference > 0)
        orders = np.maximum(is_known.sum(axis=-1), 1)
        precision = np.where(is_known, shared / np.maximum(text, 1), 0.0).sum(axis=-1) / orders
        recall = np.where(is_known, shared / np.maximum(reference, 1), 0.0).sum(axis=-1) / orders
        below = _BETA_SQUARED * precision + recall
        return np.where(below > 0, (1 + _BETA_SQUARED) * precision * recall / np.where(below > 0, below, 1.0), 0.0)

    @property
    def signature(self) -> str:
        """As sacrebleu prints it; the number of references is not the same for every task."""
        self._chrf.corpus_score(["a"], [["a"]])
        return "|".join(part for part in str(self._chrf.get_signature()).split("|") if not part.startswith("nrefs"))

    @cached_property
    def _chrf(self) -> CHRF:
        try:
            from sacrebleu.metrics.chrf import CHRF
        except ImportError:
            raise MissingExtraError(f"the metric {self.name}", extra="text", package="sacrebleu") from None
        return CHRF(word_order=self._word_order)


METRIC = Chrf()


def make(argument: str) -> Metric:
    """chrF with n-grams of words: `chrf:2` is chrF++.

    Raises:
        UsageError: the argument is no small number.
    """
    if argument not in ("0", "1", "2"):
        raise UsageError(
            f"unknown argument of chrf: '{argument}'",
            expected="the longest n-gram of words: 0, 1 or 2",
            where="--metric",
        )
    return Chrf(int(argument))
