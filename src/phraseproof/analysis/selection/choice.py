"""The choice of a wording on examples that are stored, and its value corrected for having been chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phraseproof.analysis.estimators.resampling import RESAMPLES
from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import Flags
from phraseproof.analysis.selection.best_set import compare_with_best
from phraseproof.analysis.selection.bounds import simultaneous_bounds
from phraseproof.analysis.selection.candidates import Candidates
from phraseproof.analysis.selection.criteria import CONFIDENCE, Objective
from phraseproof.analysis.selection.resampling import bootstrap_means, folds, normal_deviations, resamples_for
from phraseproof.errors import NotEnoughDataError

FOLDS = 2
REPEATS = 50
"""Halves, many times: ten folds have nearly the same bias and a much larger error (docs/choosing.md)."""
FEWEST_EXAMPLES = 10


@dataclass(frozen=True, slots=True, eq=False)
class WordingChoice:
    """A choice among W wordings. Values are between 0 (worst) and 1 (best).

    Attributes:
        order: [W] the wordings from the best to the worst by the criterion; the first one is chosen.
        values: [W] the value of each wording on the examples by which it was chosen.
        cross_fitted: the value of the choice on examples that it was not made on, see `cross_fitted_value`.
        bootstrap_corrected: the chosen wording's value less the optimism that a bootstrap finds, which repeats the
            choice in every resample.
        corrected: the one of these two that is less biased, within the bounds of the chosen wording. Of a mean, the
            cross-fitted one. Of the worst of several blocks, the bootstrap's: the lowest of several observed means is
            too low already, and only the bootstrap corrects this as well.
        at_least: [W] the value of each wording is at least this, for all wordings at once with 95%: the bound of the
            chosen one holds whatever chose it.
        low, high: [W] two-sided, in the same way.
        p_values: [W] of the hypothesis that a wording is a best one.
        p_equal: of the hypothesis that all wordings are equally good.
        examples: how many different examples there are.
    """

    order: Ints
    values: Floats
    cross_fitted: float
    bootstrap_corrected: float
    corrected: float
    at_least: Floats
    low: Floats
    high: Floats
    p_values: Floats
    p_equal: float
    examples: int

    @property
    def best(self) -> int:
        """The place of the chosen wording."""
        return int(self.order[0])

    @property
    def optimism(self) -> float:
        """By how much the observed value of the chosen wording is too high because it was chosen by this value."""
        return float(self.values[self.best]) - self.corrected

    @property
    def maybe_best(self) -> Flags:
        """[W] which wordings cannot be distinguished from the best one."""
        return self.p_values > 1 - CONFIDENCE


def choose_among(
    candidates: Candidates, objective: Objective | None = None, *, seed: int = 0, resamples: int = RESAMPLES
) -> WordingChoice:
    """Choose the best wording, and estimate what it is worth.

    Args:
        candidates: the wordings with their scores. Of equal wordings, the first one is chosen.
        objective: the criterion. Default: the mean.
        seed: of resamples and folds.
        resamples: how many are drawn; fewer where there are thousands of wordings.

    Raises:
        NotEnoughDataError: fewer than ten examples.
    """
    aim = objective or Objective()
    examples = candidates.examples()
    if examples < FEWEST_EXAMPLES:
        raise NotEnoughDataError(
            "too few examples to estimate what a chosen wording is worth",
            expected=f"at least {FEWEST_EXAMPLES}",
            got=str(examples),
        )
    draw = np.random.default_rng(seed)
    count = resamples_for(candidates, resamples)
    values, ranks = aim.values(candidates.means, candidates.weights), aim.ranks(candidates.means, candidates)
    best = int(np.argmax(ranks))
    resampled = bootstrap_means(candidates, draw, count)
    new_ranks = aim.ranks(resampled, candidates)
    winners = np.argmax(new_ranks, axis=1)
    winning = np.take_along_axis(resampled, winners[:, None, None], axis=2)
    optimism = float(np.mean(aim.values(winning, candidates.weights)[:, 0] - values[winners]))
    compared = compare_with_best(ranks, new_ranks)
    bounds = simultaneous_bounds(candidates, aim, normal_deviations(candidates, draw, count))
    fitted, shrunk = cross_fitted_value(candidates, aim, draw), float(values[best]) - optimism
    return WordingChoice(
        order=np.argsort(-ranks, kind="stable"),
        values=values,
        cross_fitted=fitted,
        bootstrap_corrected=shrunk,
        corrected=float(np.clip(shrunk if aim.compares_blocks else fitted, bounds.at_least[best], bounds.high[best])),
        at_least=bounds.at_least,
        low=bounds.low,
        high=bounds.high,
        p_values=compared.p_values,
        p_equal=compared.p_equal,
        examples=examples,
    )


def cross_fitted_value(
    candidates: Candidates,
    objective: Objective,
    draw: np.random.Generator,
    *,
    count: int = FOLDS,
    repeats: int = REPEATS,
) -> float:
    """The value of the wordings that are chosen without the examples on which they are scored.

    The examples are split into folds. For each fold a wording is chosen on all others and scored on the fold; the
    scores of all folds together give one mean per block, and these the value. Repeated with other folds, and averaged.

    Args:
        count: how many folds; at most one per example.
        repeats: how many times the examples are split.
    """
    sizes = np.array([block.scores.shape[1] for block in candidates.blocks])
    parts = min(count, candidates.examples())
    found: list[float] = []
    for _ in range(repeats):
        split = folds(candidates, draw, parts)
        winners = np.argmax(objective.ranks(split.rest, candidates), axis=1)
        sums = np.take_along_axis(split.sums, winners[:, None, None], axis=2)[:, :, 0].sum(axis=0)
        found.append(float(objective.values((sums / sizes)[:, None], candidates.weights)[0]))
    return float(np.mean(found))
