"""Means, and differences of means, with an interval over wordings and examples at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.distributions import t_quantile, t_sf
from phraseproof.analysis.estimators.resampling import CONFIDENCE, Resampler, WordingDraws
from phraseproof.analysis.grids import Floats, TaskGrid
from phraseproof.core import Finding

_EQUAL = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One group of wordings on one task, with its resamples.

    Attributes:
        grid: the group's wordings only.
        means: [R, w] their means over resampled examples.
        draws: which wordings each resample holds.
    """

    grid: TaskGrid
    means: Floats
    draws: WordingDraws

    @property
    def size(self) -> int:
        """How many wordings."""
        return len(self.grid.wordings)

    @property
    def has_examples(self) -> bool:
        """Whether examples could be resampled."""
        return self.grid.table is not None and self.grid.table.shape[1] > 1

    @property
    def num_scores(self) -> int:
        """How many scores the sample holds: wordings times examples, or wordings where no more is known."""
        return self.size if self.grid.table is None else self.grid.table.size


class Term(NamedTuple):
    """A sample's mean times a coefficient: the summands of a mean over tasks, or of a difference of groups."""

    sample: Sample
    coefficient: float


class _Component(NamedTuple):
    """One source of chance: the variance it adds, and the degrees of freedom of that variance."""

    variance: float
    degrees_of_freedom: int


def sample_rows(grid: TaskGrid, group: str) -> list[int]:
    """The wordings of a group's sample: in the order of their keys, so that a set is the same set on every task."""
    return sorted(map(int, grid.rows(group)), key=lambda row: grid.keys[row])


def draw_samples(grid: TaskGrid, resampler: Resampler) -> dict[str, Sample]:
    """The samples of a task by group, without answers; all of them on the same resampled examples."""
    means = resampler.means(grid)
    samples: dict[str, Sample] = {}
    scores = replace(grid, answers=None, draws=())
    for group in dict.fromkeys(grid.groups):
        rows = sample_rows(grid, group)
        part = scores.take(rows)
        samples[group] = Sample(part, means[:, rows], resampler.wordings(part.keys))
    return samples


def crossed_mean(terms: Sequence[Term], *, name: str, is_difference: bool = False) -> Finding:
    """A weighted sum of samples' means: its bootstrap standard error, and Student's t for the precision of that.

    The standard error is that of the crossed bootstrap, which counts the interaction of wordings and examples more than
    once (Owen 2007): it is slightly too large. Few wordings or few examples give an imprecise variance;
    the degrees of freedom (Satterthwaite) widen the interval for that.

    Args:
        terms: samples with coefficients; tasks have different examples, groups of one task the same ones.
        is_difference: the sum is a difference, so the finding has a p-value against 0, and where nothing varies the
            limit is returned (p = 1 for no difference, p = 0 for a constant one) instead of no interval.

    Returns:
        `estimate` in the scores' unit; a 95% interval, cut to what the metric's values or differences can be; `n`:
        scores it is based on. Without an interval where neither wordings nor examples could be resampled, or no score
        differs; the method says why.
    """
    estimate = sum(term.coefficient * float(np.mean(term.sample.grid.means)) for term in terms)
    count = sum(term.sample.num_scores for term in terms)
    over_wordings, over_examples = _components(terms)
    variance = sum(part.variance for part in (*over_wordings, *over_examples))
    if variance <= _EQUAL**2:
        if not over_wordings and not over_examples:
            return Finding(name, estimate, count, "no interval: one wording and one example leave nothing to resample")
        if not is_difference:
            return Finding(name, estimate, count, "no interval: all scores are equal")
        same = abs(estimate) <= _EQUAL
        value = 0.0 if same else estimate
        method = "crossed bootstrap (limit: all differences are equal)"
        return Finding(name, value, count, method, value, value, 1.0 if same else 0.0)

    resampled = sum(term.coefficient * term.sample.draws.weighted(term.sample.means) for term in terms)
    error = float(np.std(resampled, ddof=1))
    freedom = variance**2 / sum(
        part.variance**2 / part.degrees_of_freedom for part in (*over_wordings, *over_examples) if part.variance
    )
    reach = t_quantile((1 + CONFIDENCE) / 2, freedom) * error
    metric = terms[0].sample.grid.metric
    lowest, highest = (-metric.width, metric.width) if is_difference else (metric.low, metric.high)
    sources = " and ".join(word for word, parts in (("wordings", over_wordings), ("examples", over_examples)) if parts)
    only = "" if over_wordings and over_examples else " only"
    return Finding(
        name,
        estimate,
        count,
        f"crossed bootstrap over {sources}{only} ({len(terms[0].sample.means)} resamples), t with {freedom:.1f} df",
        low=max(lowest, estimate - reach),
        high=min(highest, estimate + reach),
        p_value=2 * t_sf(abs(estimate) / error, freedom) if is_difference else None,
        standard_error=error,
        degrees_of_freedom=freedom,
    )


def _components(terms: Sequence[Term]) -> tuple[list[_Component], list[_Component]]:
    """The variance that each set of wordings and each task's examples add to the sum."""
    by_set: dict[tuple[str, ...], Floats] = {}
    by_task: dict[str, Floats] = {}
    for sample, coefficient in terms:
        if sample.size > 1:
            keys = sample.grid.keys
            by_set[keys] = by_set.get(keys, 0) + coefficient * sample.grid.means
        if sample.has_examples:
            assert sample.grid.table is not None
            of_examples = coefficient * sample.grid.table.of_examples()
            by_task[sample.grid.task] = by_task.get(sample.grid.task, 0) + of_examples
    return [_component(values) for values in by_set.values()], [_component(values) for values in by_task.values()]


def _component(values: Floats) -> _Component:
    return _Component(float(np.var(values, ddof=1)) / len(values), len(values) - 1)
