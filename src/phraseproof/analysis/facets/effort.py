"""Where extra effort should go: standard errors with other numbers of wordings, draws and examples (a D study).

The variance of a mean over samples of every facet is the sum over the components of s2(S) divided by the product of the
numbers of levels in S (Brennan 2001, chapter 4: absolute error). Of a wording's own mean, the component of the wordings
themselves is no error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.facets.components import Facets
from phraseproof.core import Finding

WORDINGS = "wordings"

TWICE = 2
NO_CHANGE = 0.05
"""A standard error that falls by less than this share does not change."""

_STEPS = 40


class Effort(NamedTuple):
    """Standard errors with some numbers of levels, in units of the scores.

    Attributes:
        levels: the number of levels of every facet.
        mean: of the mean over all facets, for other wordings, draws and examples.
        wording: of one wording's own mean, for other draws and examples; `None` where wordings are no facet.
    """

    levels: Mapping[str, int]
    mean: float
    wording: float | None

    @property
    def prompts(self) -> int:
        """How many prompts that takes."""
        return math.prod(self.levels.values())


def effort(components: Mapping[Facets, Finding], levels: Mapping[str, int]) -> Effort:
    """The standard errors with these numbers of levels."""
    mean = standard_error(components, levels)
    if WORDINGS not in levels:
        return Effort(levels, mean, None)
    own = {facets: found for facets, found in components.items() if facets != (WORDINGS,)}
    return Effort(levels, mean, standard_error(own, {**levels, WORDINGS: 1}))


def standard_error(components: Mapping[Facets, Finding], levels: Mapping[str, int]) -> float:
    """The root of the sum of all components, each over the number of its combinations of levels."""
    parts = (found.estimate / math.prod(levels[name] for name in facets) for facets, found in components.items())
    return math.sqrt(sum(parts))


def doubled(components: Mapping[Facets, Finding], levels: Mapping[str, int]) -> dict[str, Effort]:
    """The standard errors with twice as many levels of one facet, by facet: each takes twice the prompts."""
    return {name: effort(components, {**levels, name: TWICE * count}) for name, count in levels.items()}


def best_split(components: Mapping[Facets, Finding], levels: Mapping[str, int]) -> Effort:
    """The numbers of levels with the smallest standard error of the mean among those with as many prompts or fewer.

    A draw and an order need no data, a wording must be written and an example must exist: what is possible is not known
    here.
    """
    budget = math.prod(levels.values())
    *others, last = levels
    tried = np.meshgrid(*([np.array(_counts(budget), dtype=np.float64)] * len(others)), indexing="ij")
    counts = {name: values.ravel() for name, values in zip(others, tried, strict=True)}
    used = np.prod(list(counts.values()), axis=0)
    counts = {name: values[used <= budget] for name, values in counts.items()}
    counts[last] = budget // used[used <= budget]
    variances = sum(
        found.estimate / np.prod([counts[name] for name in facets], axis=0) for facets, found in components.items()
    )
    best = int(np.argmin(variances))
    now, found = effort(components, levels), {name: int(counts[name][best]) for name in levels}
    return min(now, effort(components, found), key=lambda each: each.mean)


def _counts(most: int) -> list[int]:
    """Numbers of levels from 1 to `most`: all small ones, then in even steps of their logarithm."""
    if most <= _STEPS:
        return list(range(1, most + 1))
    steps = {round(most ** (step / (_STEPS - 1))) for step in range(_STEPS)}
    return sorted(steps | set(range(1, 11)))


def useless(efforts: Mapping[str, Effort], now: Effort) -> list[str]:
    """The facets of which twice as many levels leave the standard error of the mean as it is."""
    return [name for name, twice in efforts.items() if twice.mean > (1 - NO_CHANGE) * now.mean]
