"""How much of the spread over wordings several scorers have in common, and how much is of each of them alone.

Wordings and scorers are two crossed factors on the same examples. Scores of wordings have a covariance matrix between
scorers, from which the noise of the examples is removed. The part in common is the mean covariance of two different
scorers: the variance of the main effect of wordings where scorers are a random factor. By what the variance under a
scorer exceeds its mean covariance with the others is of this scorer alone; the mean of that over the scorers is the
variance of the interaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.causes.components import LEAST_EXAMPLES, LEAST_ROWS
from phraseproof.analysis.causes.spread import QUANTILES, RESAMPLES, SIGNIFICANCE, WIDEST, difference_p_value
from phraseproof.analysis.grids import Floats
from phraseproof.core import Finding
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.scoring.metric import Metric

_LARGE = 400_000
_RESAMPLES_OF_LARGE = 300
_RARE = 0.005
"""The most resamples without any variance that a share of it may have."""

_CHUNK = 1 << 24
"""Resampled means that are in memory at once."""


@dataclass(frozen=True, slots=True, eq=False)
class ScorerSpread:
    """The spread over the W wordings of a task under each of S scorers, on the same examples.

    Attributes:
        scorers: their names.
        wordings: those that every scorer scored.
        examples: how many every scorer scored under every wording.
        stds: [S] over wordings (n - 1), of scores as they are stored.
        p_values: [S] of no difference between the wordings.
        common: the share of the observed variance, its mean over scorers, that the scorers have in common.
        alone: [S] the share of each scorer alone; below 0 where the scorer's Std is so much smaller than the others'
            that it is less than what the others have in common.
        noise: the share of the sampling noise of the examples. The shares add up to 1.
        correlations: of the wordings' scores between two scorers, corrected for the noise of the examples; only where
            the wordings differ by more than chance under both.
        metric: what scores are in.
    """

    task: str
    category: str
    num_fewshot: int
    scorers: tuple[str, ...]
    wordings: tuple[str, ...]
    examples: int
    stds: tuple[float, ...]
    p_values: tuple[float, ...]
    common: Finding
    alone: tuple[Finding, ...]
    noise: Finding
    correlations: Mapping[tuple[str, str], Finding]
    metric: Metric

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the wordings differ under some scorer by more than the draw of examples explains."""
        return min(self.p_values) < SIGNIFICANCE

    @property
    def can_tell(self) -> bool:
        """Whether the share in common is known well enough to state it."""
        return _width(self.common) < WIDEST

    @property
    def surely_alone(self) -> dict[str, Finding]:
        """The shares of scorers alone whose intervals are above 0."""
        named = zip(self.scorers, self.alone, strict=True)
        return {name: share for name, share in named if share.low is not None and share.low > 0}

    @property
    def main_alone(self) -> str:
        """The scorer with the largest share that is surely of it alone and known well enough; else empty."""
        known = {name: share.estimate for name, share in self.surely_alone.items() if _width(share) < WIDEST}
        return max(known, key=lambda name: known[name], default="")


def _width(share: Finding) -> float:
    assert share.low is not None
    assert share.high is not None
    return min(1.0, share.high) - share.low


class SpreadOf(NamedTuple):
    """Which task and wordings scores are of."""

    task: str
    category: str
    num_fewshot: int
    scorers: tuple[str, ...]
    wordings: tuple[str, ...]
    metric: Metric = ACCURACY


def why_not_compared(wordings: int, examples: int) -> str:
    """Why scorers cannot be compared on a task; empty if they can."""
    if wordings < LEAST_ROWS:
        return f"it needs {LEAST_ROWS} wordings or more that every scoring has, and there are {wordings}"
    if examples < LEAST_EXAMPLES:
        needed = f"{LEAST_EXAMPLES} examples or more that were scored under every wording and scoring"
        return f"it needs {needed}, and there are {examples}"
    return ""


def scorer_spread(scores: Floats, of: SpreadOf, *, seed: int = 0, resamples: int | None = None) -> ScorerSpread:
    """Split the variance over wordings into what the scorers have in common and what is of each alone.

    Args:
        scores: [S, W, E] of two scorers or more, for which `why_not_compared` has no reason.
        of: what they are of.
        seed: of the bootstrap over examples.
        resamples: by default `RESAMPLES`, and fewer for a large run.
    """
    examples = scores.shape[2]
    moves = scores - scores.mean(axis=1, keepdims=True)
    once = _covariances(moves, np.ones((1, examples)))
    count = resamples or (RESAMPLES if scores.size <= _LARGE else _RESAMPLES_OF_LARGE)
    again = _covariances(moves, _counts(examples, count, np.random.default_rng(seed)))
    method = f"bootstrap over examples, percentiles ({count} resamples)"

    def finding(name: str, estimate: float, resampled: Floats) -> Finding:
        low, high = np.quantile(resampled, QUANTILES)
        return Finding(name, estimate, len(of.wordings), method, float(low), float(high))

    shares, shares_again = once.shares()[0], again.shares()
    found = [finding("", float(share), shares_again[:, place]) for place, share in enumerate(shares)]
    p_values = tuple(difference_p_value(of_scorer) for of_scorer in scores)
    correlations = {
        (of.scorers[first], of.scorers[second]): finding(
            "correlation", float(once.correlation(first, second)[0]), again.correlation(first, second)
        )
        for first, second in combinations(range(len(scores)), 2)
        if max(p_values[first], p_values[second]) < SIGNIFICANCE
        and min(once.true[0, first, first], once.true[0, second, second]) > 0
    }
    return ScorerSpread(
        of.task,
        of.category,
        of.num_fewshot,
        of.scorers,
        of.wordings,
        examples,
        tuple(np.std(scores.mean(axis=2), axis=1, ddof=1).tolist()),
        p_values,
        found[0],
        tuple(found[1:-1]),
        found[-1],
        correlations,
        of.metric,
    )


class PairSpread(NamedTuple):
    """The variances over wordings under two scorers, as any number of examples would show them.

    Attributes:
        unshared: the share of the first one's variance that is no covariance with the second: 0 where the second has
            the same differences between wordings, 1 where it has none of them, above 1 where they are opposite.
        ratio: the second one's variance as a share of the first one's.
    """

    unshared: Finding
    ratio: Finding


def pair_spread(scores: Floats, *, seed: int = 0, resamples: int | None = None) -> PairSpread | None:
    """Compare the variances over wordings under two scorers.

    Returns:
        `None` where the first variance may be 0: a share of it then has no bounds.

    Args:
        scores: [2, W, E] on the same examples.
        seed: of the bootstrap over examples; intervals are for these wordings.
        resamples: by default `RESAMPLES`, and fewer for a large run.
    """
    wordings, examples = scores.shape[1:]
    moves = scores - scores.mean(axis=1, keepdims=True)
    count = resamples or (RESAMPLES if scores.size <= _LARGE else _RESAMPLES_OF_LARGE)
    once = _covariances(moves, np.ones((1, examples))).true
    again = _covariances(moves, _counts(examples, count, np.random.default_rng(seed))).true
    method = f"bootstrap over examples, percentiles ({count} resamples)"

    def finding(name: str, estimate: float, resampled: Floats) -> Finding:
        low, high = np.quantile(resampled, QUANTILES)
        return Finding(name, estimate, wordings, method, float(low), float(high))

    # Without noise, a variance can be estimated as 0 or less.
    if once[0, 0, 0] <= 0 or np.mean(again[:, 0, 0] <= 0) > _RARE:
        return None
    again = again[again[:, 0, 0] > 0]

    def shares(true: Floats) -> tuple[Floats, Floats]:
        return 1 - true[:, 0, 1] / true[:, 0, 0], true[:, 1, 1] / true[:, 0, 0]

    (unshared, ratio), (unshared_again, ratio_again) = shares(once), shares(again)
    return PairSpread(
        finding("unshared", float(unshared[0]), unshared_again), finding("ratio", float(ratio[0]), ratio_again)
    )


class _Covariances(NamedTuple):
    """Covariances over wordings between scorers, of one sample or of B resamples.

    Attributes:
        true: [B, S, S] with any number of examples.
        noise: [B] what the examples add to the variances, on average over scorers.
    """

    true: Floats
    noise: Floats

    def shares(self) -> Floats:
        """[B, 1 + S + 1] in common, of each scorer alone, and noise; they add up to 1."""
        scorers = self.true.shape[1]
        variances = np.diagonal(self.true, axis1=1, axis2=2)
        of_each = (self.true.sum(axis=2) - variances) / (scorers - 1)
        parts = np.column_stack([of_each.mean(axis=1), (variances - of_each) / scorers, self.noise])
        whole = parts.sum(axis=1, keepdims=True)
        return parts / np.where(whole > 0, whole, 1.0)

    def correlation(self, first: int, second: int) -> Floats:
        """[B] between two scorers; from -1 to 1, which estimates without noise can exceed."""
        product = self.true[:, first, first] * self.true[:, second, second]
        is_positive = np.minimum(self.true[:, first, first], self.true[:, second, second]) > 0
        size = np.where(is_positive, np.sqrt(np.abs(product)), np.finfo(float).tiny)
        return np.clip(self.true[:, first, second] / size, -1.0, 1.0)


def _counts(examples: int, count: int, rng: np.random.Generator) -> Floats:
    """[B, E] how often each example counts; widened, so that the variance of a resampled mean is unbiased."""
    drawn = rng.multinomial(examples, np.full(examples, 1 / examples), size=count)
    return 1 + (drawn - 1) * np.sqrt(examples / (examples - 1))


def _covariances(moves: Floats, counts: Floats) -> _Covariances:
    """The mean covariance over all pairs of two different examples, which have no noise in common.

    This is the limit of the folds of `components`, and with every example once the estimate of an analysis of variance.

    Args:
        moves: [S, W, E] scores, less the mean over wordings.
        counts: [B, E] how often each example counts.
    """
    scorers, wordings, examples = moves.shape
    own = np.stack([[np.einsum("we,we->e", one, other) for other in moves] for one in moves]) / (wordings - 1)
    parts: list[Floats] = []
    step = max(1, _CHUNK // (scorers * wordings))
    for start in range(0, len(counts), step):
        summed = np.stack([counts[start : start + step] @ of_scorer.T for of_scorer in moves], axis=1)
        parts.append(summed @ summed.swapaxes(1, 2) / (wordings - 1))
    same = np.einsum("be,ste->bst", counts**2, own, optimize=True)
    pairs = counts.sum(axis=1) ** 2 - (counts**2).sum(axis=1)
    true = (np.concatenate(parts) - same) / pairs[:, None, None]
    alone = np.einsum("be,sse->bs", counts, own, optimize=True) / examples
    noise = (alone - np.diagonal(true, axis1=1, axis2=2)).mean(axis=1) / examples
    return _Covariances(true, np.maximum(noise, 0.0))
