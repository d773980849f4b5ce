"""The self-test of a model behind a server: are its log-probabilities readable, and the same when asked again?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from phraseproof.core import Check, OptionScores, Prompt
from phraseproof.errors import ModelError

_PROMPTS = 3
_TOLERANCE_PER_TOKEN = 0.1
"""Nats: servers compute in half precision, in batches that change from request to request."""


class Streams(Protocol):
    """Hands over the scores of every prompt, or the reason why there are none."""

    def stream_scores(
        self, prompts: Sequence[Prompt], *, on_scores: Callable[[int, OptionScores | ModelError], None]
    ) -> None:
        """Score the prompts."""
        ...


def self_test(model: Streams, prompts: Sequence[Prompt]) -> list[Check]:
    """Score a few prompts twice.

    Raises:
        ModelError: the server cannot be reached or refuses.
    """
    few = prompts[:_PROMPTS]
    if not few:
        return []
    once = _scores(model, few)
    usable = [index for index, scores in once.items() if isinstance(scores, OptionScores)]
    if not usable:
        return [Check("log-probabilities", passed=False, detail=str(next(iter(once.values()))))]
    # An answer that cannot be used fails its own prompt in the run, and says nothing about the others.
    detail = f"of prompt and options, for {len(usable)} of {len(few)} prompts"
    again = _scores(model, [few[index] for index in usable])
    difference = max(_difference(once[index], again[place]) for place, index in enumerate(usable))
    return [
        Check("log-probabilities", passed=True, detail=detail),
        Check(
            "same scores when asked again",
            passed=difference <= _TOLERANCE_PER_TOKEN,
            detail=f"largest difference {difference:.1e} nats per token",
        ),
    ]


def _scores(model: Streams, prompts: Sequence[Prompt]) -> dict[int, OptionScores | ModelError]:
    found: dict[int, OptionScores | ModelError] = {}
    model.stream_scores(prompts, on_scores=found.__setitem__)
    return found


def _difference(once: OptionScores | ModelError, again: OptionScores | ModelError) -> float:
    """The largest difference of an option's log-probability, per token."""
    if isinstance(once, ModelError) or isinstance(again, ModelError):
        return float("inf")
    pairs = zip(once.logprobs, again.logprobs, once.option_tokens, strict=True)
    return max(abs(one - other) / max(1, tokens) for one, other, tokens in pairs)
