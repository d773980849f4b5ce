"""Choices that lie within half precision's numerical error of a tie, scored again in float32."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import uuid4

from phraseproof.core import OptionScores, Prompt, ScoresOptions
from phraseproof.evaluation.half_precision import RESCORINGS, Rescoring
from phraseproof.scoring.registry import scorer
from phraseproof.store.run_file import RunContent


class PromptError(NamedTuple):
    """How a prompt's scores in half precision differ from those in float32.

    Attributes:
        lead: the most by which float32 moves the lead of the chosen option over another one; infinite where scores are
            not finite in one of the two.
        changed: whether float32 chooses another option.
    """

    lead: float
    changed: bool


class Rescored(NamedTuple):
    """A near-tie's scores in float32, and the error that they show."""

    scores: OptionScores
    error: PromptError


def error_of(half: Sequence[float], full: Sequence[float], options: Sequence[str], scoring: str) -> PromptError:
    """The error of one prompt's scores.

    Args:
        half, full: log-probabilities of its options in half precision and in float32.
        options: the answers as they were scored.
        scoring: the scorer's name.
    """
    if any(map(math.isnan, (*half, *full))):
        return PromptError(math.inf, changed=True)
    ours, theirs = scorer(scoring).values(half, options), scorer(scoring).values(full, options)
    chosen = scorer(scoring).choose(half, options)
    moved = max(abs(_apart(_lead(ours, chosen, other), _lead(theirs, chosen, other))) for other in range(len(ours)))
    return PromptError(moved, changed=chosen != scorer(scoring).choose(full, options))


class NearTies:
    """Finds near-ties and scores them again.

    Args:
        exact: the model in float32.
        bound: a choice is near a tie if its option leads the next one by no more than this; `None` where no number
            bounds the error, so that every choice is.
        scoring: the scorer's name.

    Attributes:
        found: what scoring them again has given, as far as the outcomes are stored (`count`).
    """

    def __init__(self, exact: ScoresOptions, bound: float | None, scoring: str) -> None:
        self._exact, self._bound, self._scorer = exact, bound, scorer(scoring)
        self._scoring = scoring
        self.found: Rescoring = nothing_found(scoring)

    def is_near(self, scores: OptionScores, prompt: Prompt) -> bool:
        """Whether the choice may be another one in float32."""
        logprobs = scores.logprobs
        if len(logprobs) == 1:
            return False
        if self._bound is None or any(map(math.isnan, logprobs)):
            return True
        best, second = sorted(self._scorer.values(logprobs, prompt.options), reverse=True)[:2]
        return best <= second or best - second <= self._bound

    def again(self, scores: Sequence[OptionScores], prompts: Sequence[Prompt]) -> list[Rescored]:
        """float32's scores of near-ties; the tokens of both passes are counted.

        Args:
            scores: in half precision.
            prompts: parallel to `scores`.
        """
        full = self._exact.score_options(prompts, method=self._scorer.model_method)
        return [
            Rescored(
                exact._replace(computed_tokens=half.computed_tokens + exact.computed_tokens),
                error_of(half.logprobs, exact.logprobs, prompt.options, self._scoring),
            )
            for half, exact, prompt in zip(scores, full, prompts, strict=True)
        ]

    def count(self, errors: Iterable[PromptError]) -> None:
        """Add near-ties to `found`: once their outcomes are stored, as others are scored again after a stop."""
        self.found = with_errors(self.found, errors)


def nothing_found(scoring: str) -> Rescoring:
    """What a scorer has found before a near-tie is scored again."""
    return {"scoring": scoring, "prompts": 0, "changed_choices": 0, "largest_error": 0.0}


def with_errors(found: Rescoring, errors: Iterable[PromptError]) -> Rescoring:
    """What a scorer has found, with the errors of further near-ties."""
    for error in errors:
        largest = found["largest_error"]
        found = {
            "scoring": found["scoring"],
            "prompts": found["prompts"] + 1,
            "changed_choices": found["changed_choices"] + error.changed,
            "largest_error": None if largest is None or not math.isfinite(error.lead) else max(largest, error.lead),
        }
    return found


def record_of(near_ties: NearTies | None) -> dict[str, RunContent]:
    """As `record_found`, of what has scored near-ties again, if anything has."""
    return {} if near_ties is None else record_found(near_ties.found)


def record_found(found: Rescoring) -> dict[str, RunContent]:
    """The section of `run.json` with what was found: one entry per evaluation and process, which reports add up."""
    return {RESCORINGS: {uuid4().hex: found}}


def _lead(values: Sequence[float], chosen: int, other: int) -> float:
    """By how much one option leads another; two impossible options are equal."""
    return _apart(values[chosen], values[other])


def _apart(one: float, other: float) -> float:
    return 0.0 if one == other else one - other
