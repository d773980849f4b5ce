"""Which scorer reads a model's answers: the one that was asked for, or the most exact one that the model offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from phraseproof.core import ChoosesMethod, Model
from phraseproof.errors import NoAnswerError
from phraseproof.scoring.registry import DEFAULT_SCORER, scorer
from phraseproof.scoring.scorer import AUTO, Reading

_UNKNOWN = "the server does not answer: results in the run folder may be counted as missing"


class Assumed(NamedTuple):
    """What is assumed of a server that does not answer.

    Attributes:
        reason: why nothing is known.
        readings: the possible ways in which answers will be read.
    """

    reason: str
    readings: tuple[Reading, ...]


class ChosenScoring(NamedTuple):
    """A scorer, and the model that is set up for it.

    Attributes:
        scoring: the scorer's name.
        model: the model.
        notes: one line each: why this scorer, and what was assumed.
        assumed: what is assumed of a server that does not answer; only a forecast can be made then.
    """

    scoring: str
    model: Model
    notes: tuple[str, ...] = ()
    assumed: Assumed | None = None


def choose_scoring(
    model: Model, scoring: str, options: Sequence[tuple[str, ...]], *, forecast: bool = False
) -> ChosenScoring:
    """Resolve `auto`, and set a served model up. A model in this process scores by log-likelihoods.

    Args:
        model: the model as it was named.
        scoring: a scorer's name, or `auto`.
        options: the options of some of the prompts that are going to be scored; none where answers are free texts.
        forecast: a server that does not answer is no error, because nothing is going to be scored.

    Raises:
        UsageError: no such scorer.
        ModelError: the server cannot be reached, or its answers cannot be read.
    """
    method = None if scoring == AUTO else scorer(scoring).model_method
    if not isinstance(model, ChoosesMethod):
        return ChosenScoring(DEFAULT_SCORER if scoring == AUTO else scoring, model)
    try:
        chosen = model.choose_method(method, options)
    except NoAnswerError as error:
        if not forecast:
            raise
        reason = f"the server does not answer ({error.problem})"
        assumed = Assumed(reason, tuple(Reading) if scoring == AUTO else (scorer(scoring).reading,))
        return ChosenScoring(DEFAULT_SCORER if scoring == AUTO else scoring, model, (_UNKNOWN,), assumed)
    # The default scorer of a method has its name.
    return ChosenScoring(chosen.method if scoring == AUTO else scoring, chosen.model, chosen.notes)
