"""The metric `bleu`: corpus BLEU as sacrebleu computes it (arXiv 1804.08771).

sacrebleu counts n-grams. `aggregate` repeats its formula on arrays, because intervals take it thousands of times; a
test compares the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from phraseproof.core import Outcome
from phraseproof.errors import MissingExtraError, UsageError
from phraseproof.scoring.metric import Metric
from phraseproof.scoring.texts.normalization import text_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sacrebleu.metrics.bleu import BLEU

_ORDERS = 4


class Bleu(Metric):
    """Precision of 1- to 4-grams over all examples, with a penalty for short texts.

    The score of one example is sentence BLEU: with the orders that the text has, as sacrebleu computes it.

    Args:
        tokenizer: one of sacrebleu's; `None` for 13a, its default.
    """

    judges_text = True
    is_corpus = True

    def __init__(self, tokenizer: str | None = None) -> None:
        self.name = "bleu" if tokenizer is None else f"bleu:{tokenizer}"
        self._tokenizer = tokenizer

    def require(self, _references: Sequence[str], /) -> None:
        """Load the package, so that a missing one is reported before a model is asked."""
        _ = self._bleu

    def score(self, outcome: Outcome) -> float:
        """Sentence BLEU, from 0 to 1.

        Raises:
            MissingExtraError: sacrebleu is not installed.
            UsageError: sacrebleu has no such tokenizer.
        """
        text = text_of(outcome, self.name)
        # Rounding lifts equal texts above 100.
        return min(1.0, self._bleu.sentence_score(text, list(outcome.references)).score / 100)

    def example_statistics(self, outcome: Outcome) -> tuple[float, ...]:
        """The lengths of text and nearest reference, and of each order the shared n-grams, then all of the text."""
        found = self._bleu.sentence_score(text_of(outcome, self.name), list(outcome.references))
        return tuple(float(value) for value in (found.sys_len, found.ref_len, *found.counts, *found.totals))

    def aggregate(self, sums: NDArray[np.float64], _examples: int, /) -> NDArray[np.float64]:
        """Corpus BLEU from 0 to 1, with sacrebleu's exponential smoothing of orders without a match."""
        text, reference = sums[..., 0], sums[..., 1]
        shared, total = sums[..., 2 : 2 + _ORDERS], sums[..., 2 + _ORDERS :]
        smoothing = 2.0 ** np.cumsum(shared == 0, axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            precisions = np.where(shared > 0, shared, 1 / smoothing) / total
            brevity = np.minimum(1.0, np.exp(1 - reference / text))
            value = brevity * np.exp(np.log(precisions).mean(axis=-1))
        # No text is long enough for the last order, or nothing is shared: sacrebleu gives 0.
        return np.where((total > 0).all(axis=-1) & (shared > 0).any(axis=-1), np.minimum(value, 1.0), 0.0)

    @property
    def signature(self) -> str:
        """As sacrebleu prints it; the number of references is not the same for every task."""
        corpus = self._made(is_sentence=False)
        corpus.corpus_score(["a"], [["a"]])
        return "|".join(part for part in str(corpus.get_signature()).split("|") if not part.startswith("nrefs"))

    @cached_property
    def _bleu(self) -> BLEU:
        return self._made(is_sentence=True)

    def _made(self, *, is_sentence: bool) -> BLEU:
        try:
            from sacrebleu.metrics.bleu import BLEU
        except ImportError:
            raise MissingExtraError(f"the metric {self.name}", extra="text", package="sacrebleu") from None
        known = sorted(BLEU.TOKENIZERS)
        if self._tokenizer is not None and self._tokenizer not in known:
            raise UsageError(
                f"unknown tokenizer '{self._tokenizer}' of BLEU",
                expected=f"one of: {', '.join(known)}",
                where="--metric",
            )
        return BLEU(tokenize=self._tokenizer, effective_order=is_sentence)


METRIC = Bleu()


def make(argument: str) -> Metric:
    """BLEU with another tokenizer: `bleu:zh`."""
    return Bleu(argument)
