"""The input of all statistics: per task, the scores of every wording on every example, as arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from phraseproof.analysis.corpus_values import CorpusValues
from phraseproof.analysis.robustness import check_scores
from phraseproof.analysis.score_table import Codes, ScoreTable, smallest
from phraseproof.core import Relation
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.scoring.metric import Metric
from phraseproof.scoring.registry import metric
from phraseproof.store.columns import column_values, statistics_of
from phraseproof.store.run_file import wording_keys

if TYPE_CHECKING:
    import pyarrow as pa

    from phraseproof.core import Cell
    from phraseproof.store.queries import Run, WordingScore

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Flags: TypeAlias = "np.ndarray[Any, np.dtype[np.bool_]]"
Ints: TypeAlias = "np.ndarray[Any, np.dtype[np.intp]]"

Draw: TypeAlias = tuple[int, int, int]
"""An order of options, a seed of demonstrations and a repeat."""

_NO_ANSWER = -1


@dataclass(frozen=True, slots=True, eq=False)
class TaskGrid:
    """One task at one number of demonstrations: W wordings, E examples, S draws of demonstrations.

    A draw also has an order of the options, and a repeat of generated answers.

    Attributes:
        groups, wordings: of each wording its group and its name `collection/id`. A wording that serves in two groups
            is there twice.
        keys: of each wording a unique key, also across tasks: its name, and its text where known.
        means: [W] mean score, over all outcomes of the wording; of a corpus metric its value for all of them.
        examples: the ids of the examples that every wording was scored on.
        table: [W, E] the score on each of them, averaged over draws; `None` where only means were imported. Of a
            corpus metric the jackknife values of `corpus`, whose mean is the value for all examples.
        answers: [W, E * S] which option was chosen (its index), one draw after the other: those draws, orders of
            options and repeats that every wording has. The index after the last one is an unread answer. `None` where
            the task has no options, nothing but means is known, the wordings share no draw, or no answer was read.
        draws: the S draws of `answers`; also where none of those was read.
        unread: what an unread answer is in `answers`.
        chance: the score that blind guessing would reach, where options are known.
        notes: what a reader must know to interpret numbers from this grid.
        metric: what scores are in.
        corpus: of a corpus metric, what its value for a resample is computed from; `None` for other metrics, and for
            differences of two runs.
    """

    task: str
    category: str
    num_fewshot: int
    groups: tuple[str, ...]
    wordings: tuple[str, ...]
    keys: tuple[str, ...]
    means: Floats
    examples: tuple[str, ...] = ()
    table: ScoreTable | None = None
    answers: Codes | None = None
    chance: float | None = None
    notes: tuple[str, ...] = ()
    metric: Metric = ACCURACY
    corpus: CorpusValues | None = None
    draws: tuple[Draw, ...] = ()
    unread: int = _NO_ANSWER

    @property
    def scores(self) -> Floats | None:
        """[W, E] all scores of `table` as float64, for tasks that fit memory 64 times as well."""
        return None if self.table is None else self.table.whole()

    @property
    def is_read(self) -> Flags | None:
        """[W, E * S] where an answer could be read, also where none could; `None` where the wordings share no draw."""
        if not self.draws:
            return None
        if self.answers is None:
            return np.zeros((len(self.wordings), len(self.draws) * len(self.examples)), dtype=np.bool_)
        return self.answers != self.unread

    def rows(self, group: str) -> Ints:
        """The indices of a group's wordings."""
        return np.flatnonzero(np.array(self.groups) == group)

    def take(self, rows: Sequence[int] | Ints) -> TaskGrid:
        """The same with some of its wordings only, in the order given."""
        chosen = [int(row) for row in rows]
        return replace(
            self,
            groups=tuple(self.groups[row] for row in chosen),
            wordings=tuple(self.wordings[row] for row in chosen),
            keys=tuple(self.keys[row] for row in chosen),
            means=self.means[chosen],
            table=None if self.table is None else self.table.take(chosen),
            answers=None if self.answers is None else self.answers[chosen],
            corpus=None if self.corpus is None else self.corpus.take(chosen),
        )

    def on(self, columns: Sequence[int]) -> TaskGrid:
        """The same on some of its examples only, without answers."""
        assert self.table is not None
        corpus = None if self.corpus is None else self.corpus.on(columns)
        table = self.table.on(columns) if corpus is None else ScoreTable(corpus.of_examples())
        examples = tuple(self.examples[column] for column in columns)
        means = table.of_wordings()
        return replace(self, table=table, answers=None, draws=(), means=means, examples=examples, corpus=corpus)

    def minus(self, other: TaskGrid) -> TaskGrid:
        """The differences from a grid of the same wordings and examples: of scores, or else of means."""
        table = None if self.table is None or other.table is None else self.table.minus(other.table)
        means = self.means - other.means if table is None else table.of_wordings()
        return replace(self, table=table, answers=None, draws=(), means=means, chance=None, corpus=None)


def metric_of(run: Run) -> Metric:
    """The metric that the run's scores are in; accuracy for imported results.

    Raises:
        UsageError: the package that defines the metric is not installed.
    """
    return metric(run.cells[0].metric) if run.cells else ACCURACY


def load_grids(run: Run) -> tuple[TaskGrid, ...]:
    """Every task of a run, at every number of demonstrations: tasks in the run's order, demonstrations ascending.

    Examples that were not scored under every wording are left out, and a note says how many.

    Raises:
        RunError: no cell of the run is done, a cell is damaged, the run has a budget (`Run.require_whole`), or its
            scores cannot be trusted (`check_scores`).
    """
    if run.accuracies:
        return grids_of_scores(run.accuracies)
    run.require_whole()
    texts = run.wording_texts()
    found: dict[tuple[str, int], _Gathering] = {}
    columns = ("example_id", "score", "predicted")
    for cell, table in run.read_cells((*columns, "statistics") if metric_of(run).is_corpus else columns):
        found.setdefault((cell.task, cell.num_fewshot), _Gathering(cell)).add(cell, table)
    chances = _chances(run, [gathering.first for gathering in found.values()])
    grids = [
        gathering.grid(task, shots, texts, chances.get((task, shots))) for (task, shots), gathering in found.items()
    ]
    return tuple(sorted(grids, key=lambda grid: grid.num_fewshot))


def grids_of_scores(scores: Sequence[WordingScore]) -> tuple[TaskGrid, ...]:
    """Grids with the wordings' means only, such as those of an imported run.

    Raises:
        RunError: as `check_scores`.
    """
    check_scores(scores)
    found: dict[tuple[str, int], list[WordingScore]] = {}
    for score in scores:
        found.setdefault((score.task, score.num_fewshot), []).append(score)
    grids = [
        TaskGrid(
            task,
            rows[0].category,
            shots,
            groups=tuple(row.group for row in rows),
            wordings=tuple(row.instruction for row in rows),
            keys=tuple(row.instruction for row in rows),
            means=np.array([row.mean_score for row in rows]),
        )
        for (task, shots), rows in found.items()
    ]
    return tuple(sorted(grids, key=lambda grid: grid.num_fewshot))


def group_relations(run: Run) -> dict[str, Relation]:
    """How the wordings of each group relate to what the model was tuned on, where that is known.

    The relation that most of a group's wordings declare counts. Where they declare none, the group's name counts if it
    is the name of a relation.
    """
    entries: Mapping[str, Mapping[str, Any]] = run.content.get("instructions", {})
    said: dict[str, Counter[str]] = {group: Counter() for group in run.groups}
    named = {(each.task, each.instruction, each.group) for each in (*run.cells, *run.accuracies)}
    for task, instruction, group in named:
        entry = next((entries[key] for key in wording_keys(task, instruction) if key in entries), None)
        if entry and entry.get("relation"):
            said.setdefault(group, Counter())[entry["relation"]] += 1
    relations: dict[str, Relation] = {}
    for group, counts in said.items():
        word = min(counts, key=lambda name: (-counts[name], name)) if counts else group.replace("-", "_")
        if word in set(Relation):
            relations[group] = Relation(word)
    return relations


class _CellScores(NamedTuple):
    """What is kept of a cell: the examples' ids, their scores as one row, the mean, and the chosen options."""

    ids: tuple[str, ...]
    scores: ScoreTable
    mean: float
    answers: Codes


class _Gathering:
    """The cells of one task and number of demonstrations, as they are read."""

    def __init__(self, first: Cell) -> None:
        self.first = first
        # By group and wording, in the order of arrival.
        self.cells: dict[tuple[str, str], dict[Draw, _CellScores]] = {}
        # The same for the statistics of a corpus metric.
        self.statistics: dict[tuple[str, str], list[Floats]] = {}
        self.metric = metric(first.metric)
        self._ids: tuple[pa.ChunkedArray, tuple[str, ...]] | None = None

    def add(self, cell: Cell, table: pa.Table) -> None:
        scores = np.asarray(column_values(table["score"]), dtype=np.float64)
        predicted = table["predicted"]
        if predicted.null_count:  # only then: pyarrow imports pandas to fill them
            predicted = predicted.fill_null(_NO_ANSWER)
        answers = np.asarray(column_values(predicted), dtype=np.intp)
        draw = cell.option_order, cell.fewshot_seed, cell.repeat
        of_wording = self.cells.setdefault((cell.group, cell.instruction), {})
        of_wording[draw] = _CellScores(
            self._same_ids(table["example_id"]),
            ScoreTable(scores[None]),
            float(scores.mean()),
            smallest(answers, int(answers.max(initial=0))),
        )
        if self.metric.is_corpus:
            self.statistics.setdefault((cell.group, cell.instruction), []).append(statistics_of(table["statistics"]))

    def _same_ids(self, column: pa.ChunkedArray) -> tuple[str, ...]:
        """The ids as a tuple; cells of one task nearly always share one, and comparing columns is fast."""
        if self._ids is None or not self._ids[0].equals(column):
            self._ids = (column, tuple(column.to_pylist()))
        return self._ids[1]

    def grid(self, task: str, num_fewshot: int, texts: Mapping[tuple[str, str], str], chance: float | None) -> TaskGrid:
        all_ids = distinct_ids(each.ids for draws in self.cells.values() for each in draws.values())
        common = _shared(all_ids)
        lost = len({name for ids in all_ids for name in ids}) - len(common)
        note = f"{task}: {lost} examples were not scored under every wording, and are left out of intervals."
        corpus = self._corpus(common) if self.metric.is_corpus and common else None
        means = self._means()
        draws, answers = self._answers(common) if common else ((), None)
        answers, unread = (None, _NO_ANSWER) if answers is None else _with_unread(answers)
        table = None if not common else self._table(common) if corpus is None else ScoreTable(corpus.of_examples())
        return TaskGrid(
            task,
            self.first.category,
            num_fewshot,
            groups=tuple(group for group, _ in self.cells),
            wordings=tuple(name for _, name in self.cells),
            keys=tuple(f"{name}\0{texts.get((task, name), '')}" for _, name in self.cells),
            means=means,
            examples=common,
            table=table,
            answers=answers,
            chance=chance,
            notes=(note,) if lost else (),
            metric=self.metric,
            corpus=corpus,
            draws=draws,
            unread=unread,
        )

    def _answers(self, common: tuple[str, ...]) -> tuple[tuple[Draw, ...], Codes | None]:
        """The draws that every wording has, and [W, E * S] what was chosen in them; cells forget what they had."""
        first, *others = self.cells.values()
        draws = tuple(draw for draw in first if all(draw in of_wording for of_wording in others))
        if not draws:
            return (), None
        kind = np.result_type(*(of[draw].answers.dtype for of in self.cells.values() for draw in draws))
        answers = np.empty((len(self.cells), len(draws), len(common)), dtype=kind)
        for row, of in enumerate(self.cells.values()):
            for place, draw in enumerate(draws):
                answers[row, place] = _pick(of[draw].ids, of[draw].answers, common)
                of[draw] = of[draw]._replace(answers=answers[row, place, :0])
        return draws, answers.reshape(len(self.cells), -1)

    def _table(self, common: tuple[str, ...]) -> ScoreTable:
        """[W, E] the scores, averaged over draws. Cells are forgotten as they are read, so that one table is held."""

        def averaged() -> Iterator[ScoreTable]:
            for of_wording in self.cells.values():
                draws = [_pick(each.ids, each.scores.row(0), common) for each in of_wording.values()]
                of_wording.clear()
                yield ScoreTable(np.mean(draws, axis=0)[None])

        return ScoreTable.stacked(averaged(), len(self.cells))

    def _means(self) -> Floats:
        if self.metric.is_corpus:
            of_wordings = [np.concatenate(of) for of in self.statistics.values()]
            return np.array([float(self.metric.aggregate(of.sum(axis=0), len(of))) for of in of_wordings])
        return np.array([_mean_of(list(of.values())) for of in self.cells.values()])

    def _corpus(self, common: tuple[str, ...]) -> CorpusValues:
        values = [
            np.sum([_pick(each.ids, rows, common) for each, rows in zip(cells.values(), of, strict=True)], axis=0)
            for cells, of in zip(self.cells.values(), self.statistics.values(), strict=True)
        ]
        return CorpusValues(self.metric, np.stack(values), min(map(len, self.cells.values())))


def _mean_of(draws: Sequence[_CellScores]) -> float:
    """The mean of all scores of a wording; draws may have different examples."""
    if len(draws) == 1:
        return draws[0].mean
    return float(np.average([each.mean for each in draws], weights=[len(each.ids) for each in draws]))


def _with_unread(answers: Codes) -> tuple[Codes | None, int]:
    """The answers, with unread ones as an answer of their own, and which one; no answers where none was read."""
    if answers.min(initial=0) > _NO_ANSWER:
        return answers, _NO_ANSWER
    unread = int(answers.max(initial=_NO_ANSWER)) + 1  # `smallest` leaves room for it
    if unread == 0:
        return None, _NO_ANSWER
    answers[answers == _NO_ANSWER] = unread
    return answers, unread


def distinct_ids(all_ids: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Each tuple of ids once, in the order of the first ones. Nearly all cells share one tuple."""
    once = {id(ids): ids for ids in all_ids}
    return list(dict.fromkeys(once.values()))


def _shared(distinct: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The ids that are in all of them, in the order of the first."""
    if len(distinct) == 1:
        return distinct[0]
    common = set(distinct[0]).intersection(*distinct[1:])
    return tuple(name for name in distinct[0] if name in common)


def _pick(ids: tuple[str, ...], values: Any, wanted: tuple[str, ...]) -> Any:
    if ids is wanted or ids == wanted:
        return values
    place = {name: position for position, name in enumerate(ids)}
    return values[[place[name] for name in wanted]]


def _chances(run: Run, cells: Sequence[Cell]) -> dict[tuple[str, int], float]:
    """By task and demonstrations the accuracy of blind guessing, where cells have options: the mean of 1 / options.

    None for other metrics: what blind guessing would reach there is not known.
    """
    chances: dict[tuple[str, int], float] = {}
    cells = [cell for cell in cells if cell.metric == ACCURACY.name]
    for cell, table in run.read_cells(("options",), only=cells):
        counts = np.array([len(options or ()) for options in table["options"].to_pylist()])
        if len(counts) and counts.min() > 0:
            chances[cell.task, cell.num_fewshot] = float(np.mean(1 / counts))
    return chances
