"""Components of variance over wordings, draws, orders and examples, as reports show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.facets.components import Facets
from phraseproof.analysis.facets.result_rows import facet_notes, facet_rows, std_finding
from phraseproof.analysis.facets.run import RunFacets, TaskFacets, run_facets
from phraseproof.analysis.facets.spread import ALL
from phraseproof.analysis.grids import metric_of
from phraseproof.analysis.result_rows import RowSource
from phraseproof.analysis.results import ResultTable
from phraseproof.reports.build.numbers import difference_unit, value_in_unit
from phraseproof.reports.build.runs import model_name
from phraseproof.reports.build.settings import setting_line
from phraseproof.scoring.metric import Metric

if TYPE_CHECKING:
    from phraseproof.analysis.results import ResultRow
    from phraseproof.store.queries import Run

NOT_A_FACET = ""
"""The cell of a facet that a number of demonstrations does not have."""

_SPREAD_NAMES = {"wordings": "Std over wordings", "draws": "Std over draws", "orders": "Std over orders"}


class FacetsReport(NamedTuple):
    """One run under one scorer.

    Attributes:
        settings: what the numbers depend on, as a line; empty where it is not known.
        metric: what scores are in.
    """

    path: str
    model: str
    scoring: str
    settings: str
    facets: RunFacets
    metric: Metric


class FacetTable(NamedTuple):
    """One task under one group, with a column for each number of demonstrations.

    Attributes:
        title: the task and the group.
        headings: of the columns.
        rows: the name of each row and its cells.
        tasks: the components, a column each.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    tasks: tuple[TaskFacets, ...]


def facets_reports(runs: Sequence[Run], *, seed: int = 0) -> list[FacetsReport]:
    """The components of each run.

    Raises:
        RunError: no cell of a run is done, or one is damaged.
    """
    return [
        FacetsReport(
            run.name, model_name(run), run.scoring, setting_line(run), run_facets(run, seed=seed), metric_of(run)
        )
        for run in runs
    ]


def facets_results(reports: Sequence[FacetsReport]) -> ResultTable:
    """Rows of the components, with the sentence of every task and what is missing as notes."""
    rows: list[ResultRow] = []
    notes: dict[str, None] = {}
    for report in reports:
        for task in report.facets.tasks:
            source = RowSource(report.path, task.design.num_fewshot, report.scoring, report.metric)
            rows += facet_rows(task, source)
        notes |= dict.fromkeys(facet_notes(report.facets))
    return ResultTable(tuple(rows), tuple(notes))


def legend(metric: Metric) -> str:
    """What the tables hold."""
    return (
        "share of the variance of single scores; in brackets its root with a 95% interval, in "
        f"{difference_unit(metric)}. Std over wordings, draws: mean (smallest to largest) over levels of the others "
        "(docs/few-shot.md)"
    )


def facet_tables(tasks: Sequence[TaskFacets]) -> Iterator[FacetTable]:
    """A table for each task and group, in the order of the tasks."""
    order = {(task.design.task, task.design.group): None for task in tasks}
    places = {key: place for place, key in enumerate(order)}

    def place(task: TaskFacets) -> int:
        return places[task.design.task, task.design.group]

    for _, members in groupby(sorted(tasks, key=place), key=place):
        yield _table(tuple(members))


def _table(tasks: tuple[TaskFacets, ...]) -> FacetTable:
    fullest = sorted(tasks, key=lambda task: -len(task.components))
    rows = [
        (f"number of {name}", tuple(str(task.design.levels.get(name, NOT_A_FACET)) for task in tasks))
        for name in dict.fromkeys(name for task in fullest for name in task.design.facets)
    ]
    rows.append(("mean", tuple(value_in_unit(task.mean, task.design.metric) for task in tasks)))
    components = dict.fromkeys(facets for task in fullest for facets in task.components)
    rows += [
        (" x ".join(facets), tuple(_component(task, facets) for task in tasks))
        for facets in sorted(components, key=len)
    ]
    spreads = dict.fromkeys(spread.facet for task in fullest for spread in task.spreads)
    rows += [
        (_SPREAD_NAMES.get(name, "Std over all of these"), tuple(_spread(task, name) for task in tasks))
        for name in sorted(spreads, key=lambda name: name == ALL)
    ]
    design = tasks[0].design
    headings = tuple(f"{task.design.num_fewshot}-shot" for task in tasks)
    return FacetTable(f"{design.task}, {design.group}", headings, tuple(rows), tasks)


def _component(task: TaskFacets, facets: Facets) -> str:
    found = task.components.get(facets)
    if found is None:
        return NOT_A_FACET
    root, metric = std_finding(found), task.design.metric
    share = f"{100 * found.estimate / task.total:.0f}%" if task.total > 0 else "0%"
    assert root.low is not None
    assert root.high is not None
    low, high = value_in_unit(root.low, metric), value_in_unit(root.high, metric)
    return f"{share} ({value_in_unit(root.estimate, metric)} [{low}, {high}])"


def _spread(task: TaskFacets, name: str) -> str:
    found = next((spread for spread in task.spreads if spread.facet == name), None)
    if found is None:
        return NOT_A_FACET
    metric = task.design.metric
    mean = value_in_unit(found.mean, metric)
    if found.number == 1:
        return mean
    return f"{mean} ({value_in_unit(found.low, metric)} to {value_in_unit(found.high, metric)})"
