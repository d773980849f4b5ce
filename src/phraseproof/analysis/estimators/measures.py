"""Each robustness statistic of one group of wordings, over one task or the mean over several, with its interval.

Tasks are weighted as in the paper: equally within a category, categories equally overall. Tasks for which a statistic
cannot be computed are left out of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import stdev
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.aggregation import paper_weights
from phraseproof.analysis.distributions import normal_quantile, t_quantile
from phraseproof.analysis.estimators.agreement import Agreement, Jackknifed
from phraseproof.analysis.estimators.crossed import Sample, Term, crossed_mean
from phraseproof.analysis.estimators.extremes import Bounded, Extremes, extremes, mean_of_bounded, wilson
from phraseproof.analysis.estimators.resampling import CONFIDENCE, example_noise, resampled_stds
from phraseproof.analysis.grids import Floats
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError

QUANTILES: Mapping[str, float] = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}

STATISTICS = (
    "mean", "std", "std_beyond_chance", "range", "worst", "best", *QUANTILES, "flips", "pairwise_flips", "kappa"
)  # fmt: skip
"""Every statistic's name, in the order in which they are shown."""

MIN_WORDINGS_FOR_A_SPREAD = 4
"""With fewer wordings, the interval of a Std would cover everything."""

MIN_WORDINGS_FOR_A_TAIL = 40
"""With fewer wordings, intervals of the 5% and 95% quantiles have too low coverage (docs/statistics.md)."""

_TAILS = ("q05", "q95")
_LOG_CENTRE = 1.96


class Measured(NamedTuple):
    """One group on one task, with what its statistics have in common.

    Attributes:
        agreement: `None` where the answers are not known or too few.
        stds: [R] standard deviations over resampled wordings on resampled examples; `None` with a single wording.
        quantiles: by name [R] the quantiles over resampled wordings; empty with a single wording.
        noise: the variance between wordings that is due to the draw of examples; `None` if unknown.
        extremes: `None` where examples could not be resampled.
    """

    sample: Sample
    agreement: Agreement | None
    stds: Floats | None
    quantiles: Mapping[str, Floats]
    noise: float | None
    extremes: Extremes | None

    @property
    def means(self) -> Floats:
        """[w] the wordings' mean scores."""
        return self.sample.grid.means


def measure(sample: Sample, agreement: Agreement | None) -> Measured:
    """What all statistics of a sample need, computed once."""
    means, table, several = sample.grid.means, sample.grid.table, sample.size > 1
    binary = table is not None and table.is_right_or_wrong
    noise = example_noise(means, sample.means) if several else 0.0
    return Measured(
        sample,
        agreement,
        resampled_stds(means, sample.means, sample.draws, noise) if several else None,
        _quantiles(sample) if several else {},
        noise if several and sample.has_examples else None,
        extremes(means, sample.means, len(sample.grid.examples) if binary else None) if sample.has_examples else None,
    )


def _quantiles(sample: Sample) -> dict[str, Floats]:
    """By name [R] the quantiles over resampled wordings on resampled examples."""
    levels = list(QUANTILES.values())
    found = sample.draws.of(sample.means, lambda resampled: np.quantile(resampled, levels, axis=1))
    return dict(zip(QUANTILES, found, strict=True))


def compute(name: str, parts: Sequence[Measured]) -> Finding:
    """The statistic `name` over one or several tasks of one group.

    Raises:
        NotEnoughDataError: no task has enough wordings or examples for it; the message says what it needs.
    """
    return _COMPUTED[name](name, parts)


# ----------------------------------------------------------------------------------------------------- the statistics


def _mean(name: str, parts: Sequence[Measured]) -> Finding:
    weights = paper_weights([part.sample.grid.category for part in parts])
    return crossed_mean([Term(part.sample, weight) for part, weight in zip(parts, weights, strict=True)], name=name)


def _std(name: str, parts: Sequence[Measured]) -> Finding:
    """The paper's Std: log-normal interval from the bootstrap (log scale, t quantile, centre of Bonett 2006)."""
    found = _spread_of(parts)
    low, high = found.interval()
    return Finding(name, found.value, found.num_scores, found.method, low, high)


def _std_beyond_chance(name: str, parts: Sequence[Measured]) -> Finding:
    """The Std in the limit of infinitely many examples."""
    known = [part for part in parts if part.noise is not None]
    if not known:
        raise NotEnoughDataError("needs two wordings, and outcomes of two examples")
    found = _spread_of(known)
    stds = [math.sqrt(max(0.0, _variance(part) - _noise(part))) for part in known]
    value = sum(weight * std for weight, std in zip(found.weights, stds, strict=True))
    noise = sum(weight * math.sqrt(_noise(part)) for weight, part in zip(found.weights, known, strict=True))
    low, high = found.interval()
    if low is not None and high is not None:
        low, high = (math.sqrt(max(0.0, bound**2 - noise**2)) for bound in (low, high))
        low, high = min(low, value), max(high, value)
    return Finding(name, value, found.num_scores, f"{found.method}, less the noise of the examples", low, high)


def _quantile(name: str, parts: Sequence[Measured]) -> Finding:
    several = _with_several(parts)
    weights = paper_weights([part.sample.grid.category for part in several])
    level = QUANTILES[name]
    value = 0.0
    resampled: Floats | float = 0.0
    for part, weight in zip(several, weights, strict=True):
        value += weight * float(np.quantile(part.means, level))
        resampled = resampled + weight * part.quantiles[name]
    if name in _TAILS and min(part.sample.size for part in several) < MIN_WORDINGS_FOR_A_TAIL:
        reason = f"fewer than {MIN_WORDINGS_FOR_A_TAIL} wordings on a task show too little of the worst and best 5%"
        return Finding(name, value, _count(several), f"quantile over wordings, no interval: {reason}")
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    if low == high:
        return Finding(name, value, _count(several), "quantile over wordings, no interval: all scores are equal")
    method = f"quantile over wordings, {_sources(several)}, percentiles"
    metric = several[0].sample.grid.metric
    return Finding(name, value, _count(several), method, max(metric.low, float(low)), min(metric.high, float(high)))


def _extreme(
    pick: Callable[[Extremes], Bounded], where_less_is_better: Callable[[Extremes], Bounded] | None = None
) -> Callable[[str, Sequence[Measured]], Finding]:
    """The statistic that is one of the extremes; `where_less_is_better` replaces `pick` for such metrics."""

    def found(name: str, parts: Sequence[Measured]) -> Finding:
        several = _with_several(parts)
        metric = several[0].sample.grid.metric
        choose = pick if where_less_is_better is None or metric.higher_is_better else where_less_is_better
        weights = paper_weights([part.sample.grid.category for part in several])
        known = [
            (choose(part.extremes), weight) for part, weight in zip(several, weights, strict=True) if part.extremes
        ]
        if len(known) < len(several):
            values = [choose(_without_examples(part)).value for part in several]
            value = sum(weight * each for weight, each in zip(weights, values, strict=True))
            return Finding(name, value, _count(several), "of the wordings tried; no interval without outcomes")
        least, most = (0.0, metric.width) if name == "range" else (metric.low, metric.high)
        whole = mean_of_bounded(known, lowest=least, highest=most)
        method = "of the wordings tried, simultaneous band over examples"
        return Finding(name, whole.value, _count(several), method, whole.low, whole.high)

    return found


def _flips(name: str, parts: Sequence[Measured]) -> Finding:
    known = _with_agreement(parts)
    weights = paper_weights([part.sample.grid.category for part in known])
    bounded: list[tuple[Bounded, float]] = []
    for part, weight in zip(known, weights, strict=True):
        assert part.agreement is not None
        share, examples = part.agreement.flips, len(part.sample.grid.examples)
        low, high = wilson(share, examples, normal_quantile((1 + CONFIDENCE) / 2))
        bounded.append((Bounded(share, float(low), float(high)), weight))
    whole = mean_of_bounded(bounded)
    count = sum(len(part.sample.grid.examples) for part in known)
    return Finding(name, whole.value, count, "of the wordings tried, Wilson over examples", whole.low, whole.high)


def _jackknifed(
    pick: Callable[[Agreement], Jackknifed | None], lowest: float
) -> Callable[[str, Sequence[Measured]], Finding]:
    def found(name: str, parts: Sequence[Measured]) -> Finding:
        known = [(part, value) for part in _with_agreement(parts) if part.agreement and (value := pick(part.agreement))]
        if not known:
            raise NotEnoughDataError("not defined: one option is all that was ever chosen")
        weights = paper_weights([part.sample.grid.category for part, _ in known])
        by_wording: dict[str, float] = {}
        of_examples = 0.0
        for (part, value), weight in zip(known, weights, strict=True):
            for key, deviation in zip(part.sample.grid.keys, value.wordings, strict=True):
                by_wording[key] = by_wording.get(key, 0.0) + weight * float(deviation)
            of_examples += weight**2 * float(np.square(value.examples).sum())
        estimate = sum(weight * value.value for (_, value), weight in zip(known, weights, strict=True))
        error = math.sqrt(sum(deviation**2 for deviation in by_wording.values()) + of_examples)
        count = sum(part.sample.num_scores for part, _ in known)
        if error == 0:
            return Finding(name, estimate, count, "no interval: all answers agree")
        freedom = min(part.sample.size for part, _ in known) - 1
        reach = t_quantile((1 + CONFIDENCE) / 2, freedom) * error
        method = "two-way jackknife over wordings and examples"
        return Finding(name, estimate, count, method, max(lowest, estimate - reach), min(1.0, estimate + reach), None,
                       error, freedom)  # fmt: skip

    return found


_COMPUTED: Mapping[str, Callable[[str, Sequence[Measured]], Finding]] = {
    "mean": _mean,
    "std": _std,
    "std_beyond_chance": _std_beyond_chance,
    "range": _extreme(lambda found: found.range),
    "worst": _extreme(lambda found: found.lowest, lambda found: found.highest),
    "best": _extreme(lambda found: found.highest, lambda found: found.lowest),
    **dict.fromkeys(QUANTILES, _quantile),
    "flips": _flips,
    "pairwise_flips": _jackknifed(lambda found: found.pairwise_flips, 0.0),
    "kappa": _jackknifed(lambda found: found.kappa, -1.0),
}


# -------------------------------------------------------------------------------------------------------------- Std


class _Spread(NamedTuple):
    """The mean of the tasks' Stds, and its precision on the log scale."""

    value: float
    relative_error: float
    degrees_of_freedom: float | None
    weights: list[float]
    num_scores: int
    method: str

    def interval(self) -> tuple[float, float] | tuple[None, None]:
        """`None` where there are too few wordings, or none that differ."""
        if self.degrees_of_freedom is None or self.relative_error <= 0:
            return None, None
        freedom = self.degrees_of_freedom
        reach = t_quantile((1 + CONFIDENCE) / 2, freedom) * self.relative_error
        # The Std of a small sample is more often too small than too large.
        centre = self.value * math.sqrt((freedom + 1) / (freedom + 1 - _LOG_CENTRE))
        return min(self.value, centre * math.exp(-reach)), centre * math.exp(reach)


def _spread_of(parts: Sequence[Measured]) -> _Spread:
    several = _with_several(parts)
    weights = paper_weights([part.sample.grid.category for part in several])
    value = 0.0
    resampled: Floats | float = 0.0
    by_set: dict[tuple[str, ...], float] = {}
    for part, weight in zip(several, weights, strict=True):
        assert part.stds is not None
        std = math.sqrt(_variance(part))
        size = part.sample.size
        value += weight * std
        resampled = resampled + weight * part.stds * math.sqrt(size / (size - 1))
        keys = part.sample.grid.keys
        by_set[keys] = by_set.get(keys, 0.0) + weight * std
    enough = min(len(keys) for keys in by_set) >= MIN_WORDINGS_FOR_A_SPREAD and value > 0
    if not enough:
        reason = "all wordings score the same" if value == 0 else f"fewer than {MIN_WORDINGS_FOR_A_SPREAD} wordings"
        return _Spread(value, 0.0, None, weights, _count(several), f"no interval: {reason}")
    relative = float(np.sqrt(np.mean((np.square(resampled / value) - 1) ** 2))) / 2
    variances = {keys: share**2 / (len(keys) - 1) for keys, share in by_set.items()}
    freedom = sum(variances.values()) ** 2 / sum(v**2 / (len(keys) - 1) for keys, v in variances.items() if v)
    method = f"{_sources(several)}, log scale, t with {freedom:.1f} df"
    return _Spread(value, relative, freedom, weights, _count(several), method)


def _variance(part: Measured) -> float:
    return stdev(map(float, part.means)) ** 2


def _noise(part: Measured) -> float:
    return part.noise or 0.0


def _without_examples(part: Measured) -> Extremes:
    means = part.means
    lowest, highest = float(means.min()), float(means.max())
    return Extremes(*(Bounded(value, value, value) for value in (lowest, highest, highest - lowest)))


def _with_several(parts: Sequence[Measured]) -> list[Measured]:
    several = [part for part in parts if part.sample.size > 1]
    if not several:
        raise NotEnoughDataError("needs at least two wordings")
    return several


def _with_agreement(parts: Sequence[Measured]) -> list[Measured]:
    known = [part for part in parts if part.agreement is not None]
    if not known and all(part.sample.grid.metric.judges_text for part in parts):
        raise NotEnoughDataError("needs chosen options, and free text has none")
    if not known:
        raise NotEnoughDataError("needs the chosen options of three wordings on two examples")
    return known


def _sources(parts: Sequence[Measured]) -> str:
    resamples = len(parts[0].sample.means)
    both = all(part.sample.has_examples for part in parts)
    return f"crossed bootstrap over wordings {'and examples' if both else 'only'} ({resamples} resamples)"


def _count(parts: Sequence[Measured]) -> int:
    return sum(part.sample.num_scores for part in parts)
