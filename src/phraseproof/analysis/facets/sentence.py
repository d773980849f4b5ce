"""Where extra effort should go, in a sentence."""

from __future__ import annotations

import math
from collections import Counter

from phraseproof.analysis.facets.effort import useless
from phraseproof.analysis.facets.run import RunFacets, TaskFacets

FACET_WORDS = {
    "wordings": "wordings",
    "draws": "draws of demonstrations",
    "orders": "orders of options",
    "examples": "examples",
}
_NOTHING = 1e-12


def effort_sentence(of: TaskFacets) -> str:
    """The standard error of the mean, and what twice as much of everything would make of it."""
    metric = of.design.metric
    if of.now.mean <= _NOTHING:
        return "All scores are equal: no effort can change anything."
    unit = "points" if metric.unit == "%" else metric.unit or metric.name
    scale = metric.scale
    ordered = sorted(of.doubled, key=lambda name: of.doubled[name].mean)
    parts = [f"{scale * of.doubled[name].mean:.3g} with twice as many {FACET_WORDS[name]}" for name in ordered]
    nothing = [f"more {FACET_WORDS[name]}" for name in useless(of.doubled, of.now)]
    sentence = (
        f"The mean, {scale * of.mean:.3g}, has a standard error of {scale * of.now.mean:.3g} {unit} for other "
        f"{_listed([FACET_WORDS[name] for name in of.design.facets])}; it would be {_listed(parts)}."
    )
    if nothing:
        sentence += f" {_listed(nothing).capitalize()} change next to nothing."
    return sentence + _own_mean(of, unit) + _halved(of)


def effort_counts(found: RunFacets) -> str:
    """Of how many tasks and groups twice as many levels of which facet reduce the error of the mean most."""
    counts = Counter(min(of.doubled, key=lambda name, of=of: of.doubled[name].mean) for of in found.tasks)
    parts = [f"more {FACET_WORDS[name]} on {number}" for name, number in counts.most_common()]
    total = len(found.tasks)
    return f"Of {total} tasks and groups, the error of the mean falls most with {_listed(parts)}."


def _own_mean(of: TaskFacets, unit: str) -> str:
    """What a wording's own mean is worth, and what reduces its error most."""
    if of.now.wording is None:
        return ""
    scale = of.design.metric.scale
    efforts = {name: twice.wording or 0.0 for name, twice in of.doubled.items() if name != "wordings"}
    best = min(efforts, key=lambda name: efforts[name])
    return (
        f" A wording's own mean has one of {scale * of.now.wording:.3g} {unit}, and {scale * efforts[best]:.3g} with "
        f"twice as many {FACET_WORDS[best]}."
    )


def _halved(of: TaskFacets) -> str:
    """By how much of the best facet alone the error of the mean is halved, if by any number."""
    best = min(of.doubled, key=lambda name: of.doubled[name].mean)
    from_best = sum(
        found.estimate / _others(of, facets, best) for facets, found in of.components.items() if best in facets
    )
    rest = of.now.mean**2 - from_best / of.now.levels[best]
    left = of.now.mean**2 / 4 - rest
    if left <= 0:
        return f" No number of {FACET_WORDS[best]} alone would halve the error of the mean."
    more = math.ceil(from_best / left - 1e-9) - of.now.levels[best]
    return f" {more:,} more {FACET_WORDS[best]} would halve the error of the mean."


def _others(of: TaskFacets, facets: tuple[str, ...], best: str) -> int:
    return math.prod(of.now.levels[name] for name in facets if name != best)


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
