"""Components of variance as rows of the result table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.facets.run import RunFacets, TaskFacets
from phraseproof.analysis.facets.sentence import effort_sentence
from phraseproof.analysis.result_rows import Place, RowSource, finding_row
from phraseproof.analysis.results import ResultRow
from phraseproof.core import Finding


def facet_rows(of: TaskFacets, source: RowSource) -> Iterator[ResultRow]:
    """The root of every component, its share of the variance, standard errors, and the spreads over facets."""
    design = of.design
    place = Place(Level.TASK, design.category, design.task, design.group)
    unit = source.difference_unit()
    for found in of.components.values():
        root = std_finding(found)
        yield finding_row(source, place, f"std of {found.name}", root, unit)
        share = Finding(found.name, found.estimate / of.total if of.total > 0 else 0.0, found.n, "analysis of variance")
        yield finding_row(source, place, f"share of {found.name}", share, ("%", 100.0))
    method = "root of the components over their numbers of levels"
    count = design.scores.size
    yield _plain(source, place, "standard error of the mean", of.now.mean, count, method, unit)
    for name, twice in of.doubled.items():
        statistic = f"standard error of the mean with twice as many {name}"
        yield _plain(source, place, statistic, twice.mean, count, method, unit)
    if of.now.wording is not None:
        yield _plain(source, place, "standard error of a wording's mean", of.now.wording, count, method, unit)
    for spread in of.spreads:
        low, high = unit[1] * spread.low, unit[1] * spread.high
        how = "one standard deviation"
        if spread.number > 1:
            how = f"mean of {spread.number} standard deviations, from {low:.3g} to {high:.3g}"
        yield _plain(source, place, f"std over {spread.facet}", spread.mean, spread.number, how, unit)


def facet_notes(found: RunFacets) -> Iterator[str]:
    """The sentence of every task, then what is missing."""
    for task in found.tasks:
        of = task.design
        yield f"{of.task} under {of.group}, {of.num_fewshot}-shot: {effort_sentence(task)}"
    yield from found.notes


def std_finding(found: Finding) -> Finding:
    """The root of a component and of its limits, in units of the scores."""
    low, high = found.low, found.high
    return replace(
        found,
        estimate=found.estimate**0.5,
        low=None if low is None else low**0.5,
        high=None if high is None else high**0.5,
    )


def _plain(
    source: RowSource, place: Place, statistic: str, value: float, count: int, method: str, unit: tuple[str, float]
) -> ResultRow:
    return finding_row(source, place, statistic, Finding(statistic, value, count, method), unit)
