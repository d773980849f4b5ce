"""Which scorer reads a model's answers: the one that was asked for, or the most exact one that the model offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from phraseproof.core import ChoosesMethod, Model
from phraseproof.scoring.registry import DEFAULT_SCORER, scorer
from phraseproof.scoring.scorer import AUTO


class ChosenScoring(NamedTuple):
    """A scorer, and the model that is set up for it.

    Attributes:
        scoring: the scorer's name.
        model: the model.
        notes: one line each: why this scorer, and what was assumed.
    """

    scoring: str
    model: Model
    notes: tuple[str, ...] = ()


def choose_scoring(model: Model, scoring: str, options: Sequence[tuple[str, ...]]) -> ChosenScoring:
    """Resolve `auto`, and set a served model up. A model in this process scores by log-likelihoods.

    Args:
        model: the model as it was named.
        scoring: a scorer's name, or `auto`.
        options: the options of some of the prompts that are going to be scored.

    Raises:
        UsageError: no such scorer.
        ModelError: the server cannot be reached, or its answers cannot be read.
    """
    method = None if scoring == AUTO else scorer(scoring).model_method
    if not isinstance(model, ChoosesMethod):
        return ChosenScoring(DEFAULT_SCORER if scoring == AUTO else scoring, model)
    chosen = model.choose_method(method, options)
    # The default scorer of a method has its name.
    return ChosenScoring(chosen.method if scoring == AUTO else scoring, chosen.model, chosen.notes)
