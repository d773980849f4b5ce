"""Choices that lie within half precision's numerical error of a tie, scored again in float32."""

from __future__ import annotations

import math
from collections.abc import Sequence

from phraseproof.core import OptionScores, Prompt, ScoresOptions
from phraseproof.scoring.registry import scorer


class NearTies:
    """Finds near-ties and scores them again.

    Args:
        exact: the model in float32.
        bound: a choice is near a tie if its option leads the next one by no more than this; `None` where no number
            bounds the error, so that every choice is.
        scoring: the scorer's name.
    """

    def __init__(self, exact: ScoresOptions, bound: float | None, scoring: str) -> None:
        self._exact, self._bound, self._scorer = exact, bound, scorer(scoring)

    def is_near(self, scores: OptionScores, prompt: Prompt) -> bool:
        """Whether the choice may be another one in float32."""
        logprobs = scores.logprobs
        if len(logprobs) == 1:
            return False
        if self._bound is None or any(map(math.isnan, logprobs)):
            return True
        best, second = sorted(self._scorer.values(logprobs, prompt.options), reverse=True)[:2]
        return best <= second or best - second <= self._bound

    def again(self, scores: Sequence[OptionScores], prompts: Sequence[Prompt]) -> list[OptionScores]:
        """float32's scores of near-ties; the tokens of both passes are counted.

        Args:
            scores: in half precision.
            prompts: parallel to `scores`.
        """
        full = self._exact.score_options(prompts, method=self._scorer.model_method)
        return [
            exact._replace(computed_tokens=half.computed_tokens + exact.computed_tokens)
            for half, exact in zip(scores, full, strict=True)
        ]
