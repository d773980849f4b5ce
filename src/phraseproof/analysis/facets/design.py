"""The crossed design of a run: for each task, number of demonstrations and group, one score in every cell.

Facets are the wordings, the draws of demonstrations, the orders of options and the examples, where there are at least
two levels. Repeats of a generated answer are averaged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from phraseproof.analysis.corpus_values import CorpusValues
from phraseproof.analysis.facets.effort import WORDINGS
from phraseproof.analysis.grids import Floats, distinct_ids
from phraseproof.analysis.score_table import Codes, ScoreTable
from phraseproof.scoring.metric import Metric
from phraseproof.scoring.registry import metric
from phraseproof.store.columns import column_values, statistics_of

if TYPE_CHECKING:
    import pyarrow as pa

    from phraseproof.core import Cell
    from phraseproof.store.queries import Run

DRAWS = "draws"
ORDERS = "orders"
EXAMPLES = "examples"
FACETS = (WORDINGS, DRAWS, ORDERS, EXAMPLES)
"""The names of the facets, in the order of the axes."""

_Level: TypeAlias = tuple[int, int]
"""A seed of demonstrations and an order of options."""


@dataclass(frozen=True, slots=True, eq=False)
class FacetScores:
    """One task at one number of demonstrations under one group of wordings.

    Attributes:
        facets: the names of the axes.
        scores: one axis per facet, each with at least two levels. Whole scores are kept in a byte each: sum them as
            float64. Of a corpus metric, jackknife values of examples, whose mean over the examples is the metric of a
            wording, draw and order.
        wordings, seeds, orders: the levels, also of what is no facet because it has one level.
        left_out: a sentence on what is not part of the design; may be empty.
    """

    task: str
    category: str
    num_fewshot: int
    group: str
    facets: tuple[str, ...]
    scores: Floats | Codes
    wordings: tuple[str, ...]
    seeds: tuple[int, ...]
    orders: tuple[int, ...]
    left_out: str
    metric: Metric

    @property
    def levels(self) -> dict[str, int]:
        """The number of levels of every facet."""
        return dict(zip(self.facets, self.scores.shape, strict=True))


class NoDesign(NamedTuple):
    """Why a task under a group has no components of variance."""

    task: str
    num_fewshot: int
    group: str
    why: str


class _Values(NamedTuple):
    """The scores of a wording in one cell as one row, by example; of a corpus metric also its statistics."""

    ids: tuple[str, ...]
    scores: ScoreTable
    statistics: Floats | None


def load_designs(run: Run) -> tuple[list[FacetScores], list[NoDesign]]:
    """The designs of a run, tasks and groups in the run's order, demonstrations ascending.

    Raises:
        RunError: no cell of the run is done, a cell is damaged, or the run has a budget (`Run.require_whole`).
    """
    run.require_whole()
    found: dict[tuple[str, int, str], _Gathering] = {}
    for cell, table in run.read_cells(("example_id", "score", "statistics")):
        key = cell.task, cell.num_fewshot, cell.group
        found.setdefault(key, _Gathering(cell)).add(cell, table)
    designs: list[FacetScores] = []
    none: list[NoDesign] = []
    for (task, shots, group), gathering in sorted(found.items(), key=lambda item: item[0][1]):
        design = gathering.design()
        if isinstance(design, str):
            none.append(NoDesign(task, shots, group, design))
        else:
            designs.append(design)
    return designs, none


class _Gathering:
    def __init__(self, first: Cell) -> None:
        self._first = first
        self._metric = metric(first.metric)
        self._cells: dict[str, dict[_Level, list[_Values]]] = {}
        self._ids: tuple[pa.ChunkedArray, tuple[str, ...]] | None = None

    def _same_ids(self, column: pa.ChunkedArray) -> tuple[str, ...]:
        """The ids as a tuple, which nearly all cells share."""
        if self._ids is None or not self._ids[0].equals(column):
            self._ids = (column, tuple(column.to_pylist()))
        return self._ids[1]

    def add(self, cell: Cell, table: pa.Table) -> None:
        values = _Values(
            self._same_ids(table["example_id"]),
            ScoreTable(np.asarray(column_values(table["score"]), dtype=np.float64)[None]),
            statistics_of(table["statistics"]) if self._metric.is_corpus else None,
        )
        of_wording = self._cells.setdefault(cell.instruction, {})
        of_wording.setdefault((cell.fewshot_seed, cell.option_order), []).append(values)

    def design(self) -> FacetScores | str:
        """The design, or why there is none."""
        seeds, orders, wordings = self._levels()
        kept_wordings = set(wordings)
        lacking = [name for name in self._cells if name not in kept_wordings]
        levels = [(seed, order) for seed in seeds for order in orders]
        every = [[self._cells[name][level] for level in levels] for name in wordings]
        distinct = distinct_ids(each.ids for row in every for cell in row for each in cell)
        shared = set[str].intersection(*map(set, distinct))
        first_ids = every[0][0][0].ids
        examples = first_ids if len(distinct) == 1 else tuple(id_ for id_ in first_ids if id_ in shared)
        if len(examples) < 2:
            return f"it needs two examples that were scored in every cell, and there are {len(examples)}"
        shape = (len(wordings), len(seeds), len(orders), len(examples))
        if max(shape[:-1]) < 2:
            return "it needs two wordings, draws or orders"
        scores = self._scores(every, examples).reshape(shape)
        kept = [place for place, count in enumerate(shape) if count > 1]
        first = self._first
        return FacetScores(
            first.task,
            first.category,
            first.num_fewshot,
            first.group,
            tuple(FACETS[place] for place in kept),
            scores.reshape([shape[place] for place in kept]),
            tuple(wordings),
            seeds,
            orders,
            _left_out(lacking, len(self._cells), len(self._examples) - len(examples)),
            self._metric,
        )

    def _levels(self) -> tuple[tuple[int, ...], tuple[int, ...], list[str]]:
        """Seeds, orders and the wordings that have all of them; the task's own order only, if that loses wordings."""
        of_all = {level for of_wording in self._cells.values() for level in of_wording}
        seeds = tuple(sorted({seed for seed, _ in of_all}))
        orders = tuple(sorted({order for _, order in of_all}))
        wordings = _complete(self._cells, seeds, orders)
        if len(wordings) < 2 and len(orders) > 1 and len(self._cells) > 1:
            orders = (orders[0],)
            wordings = _complete(self._cells, seeds, orders)
        if not wordings:  # a cell of every wording failed
            most = max(self._cells, key=lambda name: len(self._cells[name]))
            orders = (min(order for _, order in self._cells[most]),)
            seeds = tuple(sorted({seed for seed, order in self._cells[most] if order in orders}))
            wordings = _complete(self._cells, seeds, orders)
        return seeds, orders, wordings

    @property
    def _examples(self) -> set[str]:
        distinct = distinct_ids(
            values.ids for levels in self._cells.values() for cell in levels.values() for values in cell
        )
        return {id_ for ids in distinct for id_ in ids}

    def _scores(self, every: Sequence[Sequence[Sequence[_Values]]], examples: Sequence[str]) -> Floats | Codes:
        """[cells of all wordings, examples]"""
        cells = [cell for row in every for cell in row]
        if not self._metric.is_corpus:
            tables = (
                ScoreTable(np.mean([_pick(each.ids, each.scores.row(0), examples) for each in cell], axis=0)[None])
                for cell in cells
            )
            return ScoreTable.stacked(tables, len(cells)).compact()
        rows: list[Floats] = []
        for cell in cells:
            summed = [_pick(each.ids, each.statistics, examples) for each in cell if each.statistics is not None]
            statistics = np.sum(summed, axis=0)[None]
            rows.append(CorpusValues(self._metric, statistics, len(summed)).of_examples()[0])
        return np.stack(rows)


def _complete(cells: Mapping[str, Mapping[_Level, object]], seeds: Sequence[int], orders: Sequence[int]) -> list[str]:
    wanted = {(seed, order) for seed in seeds for order in orders}
    return [name for name, levels in cells.items() if wanted <= levels.keys()]


def _pick(ids: Sequence[str], values: Floats, wanted: Sequence[str]) -> Floats:
    if ids is wanted or list(ids) == list(wanted):
        return values
    place = {name: number for number, name in enumerate(ids)}
    return values[[place[name] for name in wanted]]


def _left_out(wordings: Sequence[str], total: int, examples: int) -> str:
    parts: list[str] = []
    if wordings:
        parts.append(f"{len(wordings)} of {total} wordings that do not have every draw and order ({wordings[0]}, ...)")
    if examples:
        parts.append(f"{examples} examples that were not scored in every cell")
    return f"left out: {' and '.join(parts)}" if parts else ""
