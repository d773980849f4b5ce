"""The variance of accuracy between wordings, split into causes without the noise of the examples.

Examples are cut into folds. The accuracies of a fold are multiplied with the effects of prior and skill in the *other*
folds, where also the priors are estimated: what is random in one part is independent of the other, so covariances over
wordings are free of it. Their sum over the causes is the covariance of accuracies between folds, an unbiased
estimate of the variance between wordings with any number of examples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from phraseproof.analysis.causes.fit import Fit
from phraseproof.analysis.causes.priors import answer_forms, finite_logprobs
from phraseproof.analysis.causes.rows import mean_by
from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import OptionValues, scores

CAUSES = ("prior", "skill", "joint")
LEAST_ROWS = 3
LEAST_EXAMPLES = 10

_FOLDS = 5
_FOLDS_OF_LARGE = 2
_LARGE = 400_000
"""Options of outcomes from which two folds are enough; they are also all that fits seconds."""

_MOST_REFERENCES = 24
_MOST_BLOCKS = 120


class FoldEffects(NamedTuple):
    """What is computed from a run once; all estimates and resamples are sums over blocks of examples.

    Attributes:
        fold: [G] the fold of each block.
        sizes: [G] its number of examples.
        accuracy: [G, R] the summed scores of each block.
        effects: for each fold [3, G', R] the effects in `CAUSES`, summed over each block of the other folds. A block's
            sum includes by how much the block moves the priors of all blocks, so that a resample has their error too.
        without_prior: [R] the accuracy of every row without its prior, estimated on other examples than those scored.
    """

    fold: Ints
    sizes: Ints
    accuracy: Floats
    effects: tuple[Floats, ...]
    without_prior: Floats

    def others(self, fold: int) -> Ints:
        """The blocks outside of a fold, in the order of `effects`."""
        return np.flatnonzero(self.fold != fold)


def fold_effects(of: OptionValues, rng: np.random.Generator) -> FoldEffects:
    """The effects of prior and skill in every fold.

    Args:
        of: at least `LEAST_ROWS` rows and `LEAST_EXAMPLES` examples.
        rng: cuts the examples into folds.
    """
    rows, examples, _ = of.values.shape
    folds = _FOLDS if of.values.size <= _LARGE else _FOLDS_OF_LARGE
    in_fold = max(2, min(_MOST_BLOCKS, examples) // folds)
    order = rng.permutation(examples)
    blocks = [block for part in np.array_split(order, folds) for block in np.array_split(part, min(in_fold, len(part)))]
    fold = np.repeat(np.arange(folds), [min(in_fold, len(part)) for part in np.array_split(order, folds)])
    scored = scores(of.values, of)
    summed = np.stack([scored[:, block].sum(axis=1) for block in blocks])
    sizes = np.array([len(block) for block in blocks])
    reference = np.sort(rng.permutation(rows)[:_MOST_REFERENCES])
    forms, logprobs = answer_forms(of), finite_logprobs(of)
    found: list[Floats] = []
    freed = np.zeros(rows)
    for number in range(folds):
        others = np.flatnonzero(fold != number)
        fit = Fit.to(of, logprobs, forms, [blocks[block] for block in others], rng)
        freed += fit.scores_without_prior(np.concatenate([blocks[block] for block in np.flatnonzero(fold == number)]))
        fitted = fit.effects(reference, rng)
        # A constant for each block is the same for all wordings, and drops out of every covariance.
        joint = summed[others] - fitted.prior - fitted.skill
        found.append(np.stack([fitted.prior, fitted.skill, joint]))
    return FoldEffects(fold, sizes, summed, tuple(found), freed / examples)


class Components(NamedTuple):
    """Variances of accuracy between wordings, of one sample or [B] of each resample.

    Attributes:
        causes: [..., 3] covariances of accuracy with the effects in `CAUSES`, between wordings.
        draws: [...] the variance between draws of demonstrations that is left in a wording's mean over its draws.
        observed: [...] the variance of the wordings' accuracies.
    """

    causes: Floats
    draws: Floats
    observed: Floats

    @property
    def true(self) -> Floats:
        """[...] the variance between wordings with any number of examples."""
        return self.causes.sum(axis=-1)


def components(
    found: FoldEffects, wording_of_row: Ints, blocks: Floats | None = None, wordings: Floats | None = None
) -> Components:
    """The components, also of resamples.

    Args:
        found: of R rows.
        wording_of_row: [R] the wording of each row, from 0; rows of one wording differ in their demonstrations.
        blocks: [B, G] how often each block counts; once by default.
        wordings: [B, W] how often each wording counts; once by default.
    """
    blocks = np.ones((1, len(found.fold))) if blocks is None else blocks
    count = int(wording_of_row.max()) + 1
    wordings = np.ones((1, count)) if wordings is None else wordings
    total = np.zeros((max(len(blocks), len(wordings)), len(CAUSES)))
    within = np.zeros(len(total))
    weight = 0.0
    for number, effect in enumerate(found.effects):
        own, others = np.flatnonzero(found.fold == number), found.others(number)
        accuracy = blocks[:, own] @ found.accuracy[own] / (blocks[:, own] @ found.sizes[own])[:, None]
        size = (blocks[:, others] @ found.sizes[others])[:, None]
        size_here = float(found.sizes[own].sum())
        weight += size_here
        draws_of: list[Floats] = []
        for place in range(len(CAUSES)):
            part = blocks[:, others] @ effect[place] / size
            between, inside = _covariances(accuracy, part, wording_of_row, wordings)
            total[:, place] += size_here * between
            draws_of.append(inside)
        within += size_here * np.sum(draws_of, axis=0)
    accuracy = mean_by((blocks @ found.accuracy / (blocks @ found.sizes)[:, None]).T, wording_of_row).T
    return Components(total / weight, within / weight, _weighted(accuracy, accuracy, wordings))


def _covariances(first: Floats, second: Floats, wording_of_row: Ints, weights: Floats) -> tuple[Floats, Floats]:
    """[B] the covariance over wordings, and the part of it that is due to draws within wordings.

    The covariance between wordings is that of their means over draws, less the covariance within wordings over the
    number of draws. The second value is what was subtracted.
    """
    count = weights.shape[1]
    per = np.bincount(wording_of_row, minlength=count)
    of_first, of_second = mean_by(first.T, wording_of_row).T, mean_by(second.T, wording_of_row).T
    if (per == 1).all():
        return _weighted(of_first, of_second, weights), np.zeros(max(len(first), len(weights)))
    products = (first - of_first[:, wording_of_row]) * (second - of_second[:, wording_of_row])
    # The variance of a wording's mean over its draws.
    inside = mean_by(products.T, wording_of_row).T / np.maximum(per - 1, 1)
    share = np.sum(inside * weights * (per > 1), axis=1) / np.maximum(np.sum(weights * (per > 1), axis=1), 1)
    return _weighted(of_first, of_second, weights) - share, share


def _weighted(first: Floats, second: Floats, weights: Floats) -> Floats:
    """[B] the covariance of [B, W] values with weights [B, W] that add up to W.

    Resampling W wordings makes covariances (W - 1) / W times as large on average; that is corrected.
    """
    count = weights.shape[1]
    means = [np.sum(each * weights, axis=1, keepdims=True) / count for each in (first, second)]
    products = np.sum(weights * (first - means[0]) * (second - means[1]), axis=1)
    is_resampled = bool((weights != 1).any())
    return products / (count - 1) * (count / (count - 1) if is_resampled else 1.0)
