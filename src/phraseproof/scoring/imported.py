"""The scorer and the metric of outcomes that another program scored: `import-results` stores them as they are."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from phraseproof.core import Outcome
from phraseproof.errors import UsageError
from phraseproof.scoring.metric import Metric
from phraseproof.scoring.scorer import Reading, Scorer

IMPORTED = "imported"
"""The name of the scorer, and of the metric before its argument."""

_SCALE = re.compile(r"(?P<name>.+) \((?P<low>-?[\d.e+-]+) to (?P<high>-?[\d.e+-]+)\)")


class ImportedScorer(Scorer):
    """Names the outcomes of another program that hold no log-probabilities of options."""

    name = IMPORTED
    model_method = IMPORTED
    reading = Reading.TEXT
    is_derived = True

    def values(self, option_logprobs: Sequence[float], options: Sequence[str]) -> list[float]:
        """Never called: there are no log-probabilities.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            f"imported outcomes hold no log-probabilities of options (got {len(option_logprobs)} of {len(options)})"
        )

    def can_derive_from(self, other: Scorer) -> bool:
        """Never: another program read the answers."""
        del other
        return False


class ImportedScore(Metric):
    """A score as another program gave it, such as `imported:exact_match`.

    Scores are between 0 and 1 and shown in percent, unless the name has a scale: `imported:helpful (1 to 5)`.

    Args:
        text: the other program's name of the score.

    Raises:
        UsageError: a scale without a width.
    """

    def __init__(self, text: str) -> None:
        self.name = f"{IMPORTED}:{text}"
        scaled = _SCALE.fullmatch(text)
        if scaled is None:
            self.is_binary = True
            return
        try:
            self.low, self.high = float(scaled["low"]), float(scaled["high"])
        except ValueError:
            self.low = self.high = math.nan
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise UsageError("not a scale", expected="as in (1 to 5)", got=text, where="--metric")
        self.unit = ""

    def require(self, references: Sequence[str], /) -> None:
        """Refuse an evaluation: only the other program can give such a score.

        Raises:
            UsageError: always.
        """
        del references
        raise UsageError(f"'{self.name}' is the score of an imported run", where="--metric", hint="See import-results")

    def score(self, outcome: Outcome) -> float:
        """The score as it was imported."""
        return outcome.score


def scaled_name(name: str, scale: tuple[float, float] | None) -> str:
    """The metric's name of another program's score.

    Args:
        name: the score, as that program calls it.
        scale: its lowest and highest value; `None` for 0 to 1.
    """
    return f"{IMPORTED}:{name}" if scale is None else f"{IMPORTED}:{name} ({scale[0]:g} to {scale[1]:g})"


def make(argument: str) -> Metric:
    """The metric of that name."""
    return ImportedScore(argument)


SCORER = ImportedScorer()
