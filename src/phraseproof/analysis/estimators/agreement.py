"""How much a model's answers agree between wordings: flips, and Fleiss' kappa with wordings as raters.

The rated item is an example under one draw of demonstrations, a rater is a wording, the rating is the chosen option.
Standard errors are two-way delete-one jackknives: each wording is left out in turn, then each example (with all its
demonstration draws), and the two variances are added.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.score_table import BLOCK, Codes
from phraseproof.errors import NotEnoughDataError


class Jackknifed(NamedTuple):
    """An estimate with what each wording and each example contributes to its variance.

    Attributes:
        wordings: [W] scaled deviations of the leave-one-wording-out estimates; their squares add up to the variance.
        examples: [E] the same for examples.
    """

    value: float
    wordings: Floats
    examples: Floats


class Agreement(NamedTuple):
    """How the answers of W wordings agree.

    Attributes:
        flips: the share of examples whose answer differs between wordings; it grows with the number of wordings.
        pairwise_flips: the probability that two different wordings answer an example differently; it does not.
        kappa: Fleiss' kappa; `None` if all answers are one option, which leaves it undefined.
    """

    flips: float
    pairwise_flips: Jackknifed
    kappa: Jackknifed | None


def agreement(answers: Codes, examples: int) -> Agreement:
    """Flips and Fleiss' kappa (Fleiss 1971).

    Args:
        answers: [W, E * S] the index of the chosen option, one demonstration draw after the other.
        examples: E.

    Raises:
        NotEnoughDataError: fewer than three wordings (leaving one out must leave a pair) or two examples.
    """
    wordings, items = answers.shape
    if wordings < 3 or examples < 2:
        raise NotEnoughDataError(
            "agreement needs at least three wordings and two examples", got=f"{wordings} and {examples}"
        )
    options = int(answers.max()) + 1
    own = np.arange(items) * options
    counts = np.zeros(items * options, dtype=np.intp)
    for block in _blocks(answers):
        counts += np.bincount((own + block).ravel(), minlength=items * options)

    # Agreeing ordered pairs and chosen options: in all, without each wording, and without each example.
    agreeing = np.concatenate([2 * (counts[own + block] - 1).sum(axis=1) for block in _blocks(answers)])
    counts = counts.reshape(items, options)
    pairs = (counts * (counts - 1)).sum(axis=1)
    of_wording = np.stack([np.bincount(row, minlength=options) for row in answers])
    of_example = counts.reshape(-1, examples, options).sum(axis=0)
    pairs_of_example = pairs.reshape(-1, examples).sum(axis=0)
    total, chosen = pairs.sum(), of_wording.sum(axis=0)
    whole = _measures(total, chosen, wordings, items)
    without_wording = _measures(total - agreeing, chosen - of_wording, wordings - 1, items)
    without_example = _measures(total - pairs_of_example, chosen - of_example, wordings, items - items // examples)
    jackknifed = [
        None if np.isnan(value) else Jackknifed(float(value), _deviations(one), _deviations(other))
        for value, one, other in zip(whole, without_wording, without_example, strict=True)
    ]
    assert jackknifed[0] is not None, "a share of pairs is always defined"
    return Agreement(float(np.mean(counts.max(axis=1) < wordings)), jackknifed[0], jackknifed[1])


def _blocks(answers: Codes) -> Iterator[Codes]:
    """The answers of some wordings at a time."""
    step = max(1, BLOCK // answers.shape[1])
    for start in range(0, len(answers), step):
        yield answers[start : start + step]


def _measures(pairs: Floats | Ints, chosen: Floats | Ints, wordings: int, items: int) -> tuple[Floats, Floats]:
    """Pairwise flips and kappa from the agreeing ordered pairs [...] and how often each option was chosen [..., C].

    Kappa is NaN if only one option was chosen; callers in this module replace it.
    """
    observed = pairs / (items * wordings * (wordings - 1))
    expected = np.square(chosen / (items * wordings)).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        kappa = np.where(expected < 1, (observed - expected) / (1 - expected), np.nan)
    return np.asarray(1 - observed), np.asarray(kappa)


def _deviations(left_out: Floats) -> Floats:
    """Jackknife deviations, so that the sum of their squares is the variance of the estimate."""
    known = left_out[~np.isnan(left_out)]
    centre = known.mean() if len(known) else 0.0
    return np.where(np.isnan(left_out), 0.0, left_out - centre) * np.sqrt((len(left_out) - 1) / len(left_out))
