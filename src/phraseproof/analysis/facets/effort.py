"""Where extra effort should go: standard errors with other numbers of wordings, draws and examples (a D study).

The variance of a mean over samples of every facet is the sum over the components of s2(S) divided by the product of the
numbers of levels in S (Brennan 2001, chapter 4: absolute error). Of a wording's own mean, the component of the wordings
themselves is no error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

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
    names = list(levels)
    best = effort(components, levels)

    def search(place: int, left: int, chosen: dict[str, int]) -> None:
        nonlocal best
        name = names[place]
        if place == len(names) - 1:
            found = effort(components, {**chosen, name: left})
            best = found if found.mean < best.mean * (1 - 1e-9) else best
            return
        for count in _counts(left):
            search(place + 1, left // count, {**chosen, name: count})

    search(0, budget, {})
    return best


def _counts(most: int) -> list[int]:
    """Numbers of levels from 1 to `most`: all small ones, then in even steps of their logarithm."""
    if most <= _STEPS:
        return list(range(1, most + 1))
    steps = {round(most ** (step / (_STEPS - 1))) for step in range(_STEPS)}
    return sorted(steps | set(range(1, 11)))


def useless(efforts: Mapping[str, Effort], now: Effort) -> list[str]:
    """The facets of which twice as many levels leave the standard error of the mean as it is."""
    return [name for name, twice in efforts.items() if twice.mean > (1 - NO_CHANGE) * now.mean]
