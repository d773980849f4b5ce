"""An index of a run's outcomes as numbers in DuckDB, so that each page of a large grid is one short query.

Texts stay in the run's files: the index holds in which file and row they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from phraseproof.core import Cell
from phraseproof.scoring.metric import Metric
from phraseproof.scoring.registry import metric
from phraseproof.store.queries import Run
from phraseproof.store.run_file import wording_keys

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_ROWS_AT_ONCE = 200_000

UNREAD = -1
"""The answer of an outcome with options whose answer could not be read."""

_INSERT = f"""
    INSERT INTO outcomes SELECT cell, col, example, row, score,
        coalesce(predicted, CASE WHEN target IS NOT NULL OR text IS NULL THEN {UNREAD} ELSE hash(text) >> 1 END)
    FROM incoming
"""  # noqa: S608 - a number of ours


class Column(NamedTuple):
    """One wording on one task at one number of demonstrations, in a group: a column of the grid.

    Attributes:
        number: its place in `RunIndex.columns`.
        kind: the relation that the wording declares; empty where it declares none.
        text: with the placeholders of its template; empty where it is not known.
        cells: the numbers of its complete cells: one for each draw of demonstrations, repeat and order of options.
    """

    number: int
    task: str
    num_fewshot: int
    group: str
    instruction: str
    kind: str
    text: str
    cells: tuple[int, ...]


class Moments(NamedTuple):
    """The scores of a column's examples, each averaged over draws.

    Attributes:
        num_examples: of the column.
        variance: with n - 1; `None` of a single example.
        is_binary: each is 0 or 1.
    """

    num_examples: int
    mean: float
    variance: float | None
    is_binary: bool


class _ColumnKey(NamedTuple):
    task: str
    num_fewshot: int
    group: str
    instruction: str


class _KnownExamples(NamedTuple):
    """The examples of a task that were read, and those of its last cell."""

    by_id: dict[str, int]
    last_ids: pa.Array
    last_numbers: pa.Array


@dataclass(frozen=True)
class RunIndex:
    """The outcomes of a run under one scorer and metric, as tables of a DuckDB database in memory.

    `outcomes` has the columns `cell`, `col` (the number of a `Column`), `example`, `row`, `score` and `answer`: the
    index of the chosen option, `UNREAD`, or a hash of a free text. `examples` has `example`, `task` and `id`.

    Attributes:
        run: opened under the scorer and metric.
        cells: the complete cells.
        columns: in the order of the plan.
        examples: by the number of the example its task and id.
        kept: results that pages keep as long as the run does not change.
    """

    run: Run
    connection: duckdb.DuckDBPyConnection = field(repr=False)
    cells: tuple[Cell, ...]
    columns: tuple[Column, ...]
    examples: tuple[tuple[str, str], ...] = field(repr=False)
    kept: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, compare=False)

    @property
    def metric(self) -> Metric:
        """What scores are in."""
        return metric(self.run.metric)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks with complete cells, in the order of the plan."""
        return tuple(dict.fromkeys(column.task for column in self.columns))

    def shots(self, task: str) -> tuple[int, ...]:
        """The numbers of demonstrations of a task, ascending."""
        return tuple(sorted({column.num_fewshot for column in self.columns if column.task == task}))

    def of_task(self, task: str, num_fewshot: int) -> tuple[Column, ...]:
        """The columns of a task at a number of demonstrations."""
        return tuple(each for each in self.columns if (each.task, each.num_fewshot) == (task, num_fewshot))

    def number_of(self, task: str, example_id: str) -> int | None:
        """The number of an example; `None` where the index has none of that name."""
        found = self.rows("SELECT example FROM examples WHERE task = ? AND id = ?", [task, example_id])
        return found[0][0] if found else None

    def numbers_of(self, task: str) -> Mapping[str, int]:
        """The numbers of a task's examples by their names."""
        found = self.rows("SELECT id, example FROM examples WHERE task = ?", [task])
        return dict(found)

    @cached_property
    def moments(self) -> Mapping[int, Moments]:
        """By column, the moments of the scores of its examples."""
        # A cell holds an example once, so only columns of several cells have several outcomes of an example.
        has_draws = any(len(column.cells) > 1 for column in self.columns)
        averaged = "(SELECT col, example, avg(score) AS score FROM outcomes GROUP BY col, example)"
        found = self.rows(
            "SELECT col, count(*), avg(score), var_samp(score), bool_and(score = 0 OR score = 1) "  # noqa: S608
            f"FROM {averaged if has_draws else 'outcomes'} GROUP BY col"
        )
        return {number: Moments(*values) for number, *values in found}

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query, on a cursor of the calling thread."""
        with self.connection.cursor() as cursor:
            return cursor.execute(sql, list(parameters)).fetchall()


def index_run(run: Run) -> RunIndex:
    """Read the numbers of all complete cells into a database in memory.

    A run of published accuracies, or without complete cells, has an empty index.

    Raises:
        RunError: a cell is damaged.
    """
    import duckdb

    connection = duckdb.connect()
    # Nothing that is written in an address can reach a file, whatever it is.
    connection.execute("SET enable_external_access = false")
    reading = _Reading(run)
    connection.execute(
        "CREATE TABLE outcomes (cell INTEGER, col INTEGER, example INTEGER, row INTEGER, score DOUBLE, answer BIGINT)"
    )
    for incoming in reading.tables():
        connection.register("incoming", incoming)
        connection.execute(_INSERT)
        connection.unregister("incoming")
    connection.register("incoming", reading.example_table())
    connection.execute("CREATE TABLE examples AS SELECT * FROM incoming")
    connection.unregister("incoming")
    return RunIndex(run, connection, tuple(reading.cells), reading.columns(), tuple(reading.examples))


class _Reading:
    """The cells of a run as they are read: numbers for cells, columns and examples."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._cells_of: dict[_ColumnKey, list[int]] = {}
        self._column_of: dict[_ColumnKey, int] = {}
        self._known: dict[str, _KnownExamples] = {}
        self.cells: list[Cell] = []
        self.examples: list[tuple[str, str]] = []

    def tables(self) -> Iterator[pa.Table]:
        """The rows of all complete cells, in tables of some 200,000 rows."""
        import pyarrow as pa

        waiting: list[pa.Table] = []
        for table in self._cell_tables():
            waiting.append(table)
            if sum(each.num_rows for each in waiting) >= _ROWS_AT_ONCE:
                yield pa.concat_tables(waiting)
                waiting = []
        if waiting:
            yield pa.concat_tables(waiting)

    def _cell_tables(self) -> Iterator[pa.Table]:
        import numpy as np
        import pyarrow as pa

        if self._run.accuracies or len(self._run.missing) == len(self._run.cells):
            return
        for cell, table in self._run.read_cells(("example_id", "score", "predicted", "target", "text")):
            number = len(self.cells)
            self.cells.append(cell)
            key = _ColumnKey(cell.task, cell.num_fewshot, cell.group, cell.instruction)
            self._cells_of.setdefault(key, []).append(number)
            place = self._column_of.setdefault(key, len(self._column_of))
            count = table.num_rows
            yield pa.table(
                {
                    "cell": pa.repeat(pa.scalar(number, pa.int32()), count),
                    "col": pa.repeat(pa.scalar(place, pa.int32()), count),
                    "example": self._numbers(cell.task, table["example_id"].combine_chunks()),
                    "row": pa.array(np.arange(count, dtype=np.int32)),
                    "score": table["score"],
                    "predicted": table["predicted"].cast(pa.int64()),
                    "target": table["target"],
                    "text": table["text"],
                }
            )

    def _numbers(self, task: str, ids: pa.Array) -> pa.Array:
        """The numbers of examples. Most cells of a task have the same ones in the same order."""
        import pyarrow as pa

        known = self._known.get(task)
        if known is not None and known.last_ids.equals(ids):
            return known.last_numbers
        by_id = {} if known is None else known.by_id
        for name in ids.unique().to_pylist():
            if name not in by_id:
                by_id[name] = len(self.examples)
                self.examples.append((task, name))
        numbers = pa.array([by_id[name] for name in ids.to_pylist()], pa.int32())
        self._known[task] = _KnownExamples(by_id, ids, numbers)
        return numbers

    def example_table(self) -> pa.Table:
        """All examples: number, task, id."""
        import pyarrow as pa

        return pa.table(
            {
                "example": pa.array(range(len(self.examples)), pa.int32()),
                "task": pa.array([task for task, _ in self.examples], pa.string()),
                "id": pa.array([name for _, name in self.examples], pa.string()),
            }
        )

    def columns(self) -> tuple[Column, ...]:
        """The columns of the cells that were read."""
        texts = self._run.wording_texts()
        entries: Mapping[str, Mapping[str, Any]] = self._run.content.get("instructions", {})
        found: list[Column] = []
        for key, number in self._column_of.items():
            named = (entries[name] for name in wording_keys(key.task, key.instruction) if name in entries)
            kind = str(next(named, {}).get("relation") or "")
            text = texts.get((key.task, key.instruction), "")
            found.append(Column(number, *key, kind, text, tuple(self._cells_of[key])))
        return tuple(found)
