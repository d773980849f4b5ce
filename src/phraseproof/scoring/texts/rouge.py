"""The metrics `rouge1`, `rouge2` and `rougeL`: F1 of the package rouge-score, with stemming.

Stemming, and the best of several references by F1, are what HELM (arXiv 2211.09110) computes. The package knows the
letters a to z and digits only, and other letters separate words: tasks in other scripts are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Protocol

from phraseproof.core import Outcome
from phraseproof.errors import MissingExtraError, UsageError
from phraseproof.scoring.metric import Metric
from phraseproof.scoring.texts.normalization import text_of

_KNOWN = 0.5
"""The share of letters that the package must know. French and German are above 0.9; Russian and Chinese are near 0."""


class _Score(Protocol):
    @property
    def fmeasure(self) -> float: ...


class _Scorer(Protocol):
    def score_multi(self, targets: list[str], prediction: str) -> dict[str, _Score]: ...


class Rouge(Metric):
    """F1 of n-grams (or of the longest common subsequence) that text and reference share; the best reference counts.

    Args:
        kind: `rouge1`, `rouge2` or `rougeL`.
    """

    judges_text = True

    def __init__(self, kind: str) -> None:
        self.name = kind

    def require(self, references: Sequence[str]) -> None:
        """Load the package, and refuse references of which it would not see most letters.

        Raises:
            MissingExtraError: the package rouge-score is not installed.
            UsageError: most letters of the references are not from a to z.
        """
        _ = self._scorer
        letters = [character for text in references for character in text if character.isalnum()]
        known = sum(character.isascii() for character in letters)
        if known < _KNOWN * len(letters):
            raise UsageError(
                f"{self.name} compares words of the letters a to z and digits, and sees only "
                f"{100 * known / len(letters):.0f}% of the references' letters",
                got=repr(references[0][:60]),
                hint="Use --metric chrf, which knows every script",
            )

    def score(self, outcome: Outcome) -> float:
        """From 0 to 1.

        Raises:
            MissingExtraError: the package rouge-score is not installed.
        """
        text = text_of(outcome, self.name)
        return float(self._scorer.score_multi(list(outcome.references), text)[self.name].fmeasure)

    @property
    def signature(self) -> str:
        """Settings and the version of the package."""
        return f"{self.name}|f1|stemmer:yes|refs:best|version:{version('rouge-score')}"

    @cached_property
    def _scorer(self) -> _Scorer:
        try:
            from rouge_score.rouge_scorer import RougeScorer  # pyright: ignore[reportMissingTypeStubs]
        except ImportError:
            raise MissingExtraError(f"the metric {self.name}", extra="text", package="rouge-score") from None
        return RougeScorer([self.name], use_stemmer=True)


ROUGE_1 = Rouge("rouge1")
ROUGE_2 = Rouge("rouge2")
ROUGE_L = Rouge("rougeL")
