"""Reads run folders: cells, outcomes, failures, and the scores of wordings, through DuckDB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from phraseproof.core import Cell
from phraseproof.errors import NotEnoughDataError, RunError, UsageError
from phraseproof.files import files_in, read_json
from phraseproof.scoring.registry import DEFAULT_METRIC, DEFAULT_SCORER, metric
from phraseproof.store.complete_cells import TRIALS, CompleteCells
from phraseproof.store.local_copy import folder_to_read
from phraseproof.store.outcomes_view import create_outcomes_view
from phraseproof.store.packs import CellPlace
from phraseproof.store.run_file import (
    ACCURACIES,
    CALIBRATION,
    DERIVED_FROM,
    IMPORTED,
    OLDER_CELLS,
    RunContent,
    Settings,
    cell_of,
    read_run_file,
    wording_keys,
)
from phraseproof.store.schema import add_missing_columns
from phraseproof.store.urls import name_of

if TYPE_CHECKING:
    import pyarrow as pa


class WordingScore(NamedTuple):
    """One wording's mean score on one task: the unit of all robustness statistics.

    Attributes:
        category: the row of a summary table that the task is averaged into.
        group: the group of wordings that it is reported in.
        instruction: `collection/id`.
        num_fewshot: demonstrations in the prompt.
        mean_score: the metric's mean over examples (and over demonstration seeds), between 0 and 1 for accuracy; of a
            corpus metric its value for all of them together.
        num_examples: the number of outcomes in the mean; `None` if only the mean was imported.
    """

    task: str
    category: str
    group: str
    instruction: str
    num_fewshot: int
    mean_score: float
    num_examples: int | None


class Failure(NamedTuple):
    """A cell that could not be computed, with the error."""

    cell: Cell
    error: str


@dataclass(frozen=True)
class Run:
    """A run folder, opened for reading.

    Attributes:
        path: the folder.
        content: `run.json` as plain data.
        chosen_scoring: the scorer whose cells are read, as `select` chose it; `None` for the first of the run.
        chosen_metric: the metric whose cells are read; `None` for the first of the scorer.
    """

    path: Path
    content: RunContent
    chosen_scoring: str | None = None
    chosen_metric: str | None = None
    _shared: dict[str, CompleteCells] = field(default_factory=dict[str, CompleteCells], repr=False, compare=False)

    @cached_property
    def name(self) -> str:
        """What results and messages call the run: the folder, or the URL of which it is the local copy."""
        return name_of(self.path)

    @property
    def settings(self) -> Settings:
        """The settings that all selected cells share: model, scoring method, sample, prompt format, ..."""
        settings: Settings = self.content["settings"]
        return {**settings, "scoring": self.scoring} if "scoring" in settings else settings

    @cached_property
    def scorings(self) -> tuple[str, ...]:
        """The scorers of the run's cells, in the order of the evaluations."""
        return tuple(dict.fromkeys(cell.scoring for cell in self.all_cells))

    @property
    def scoring(self) -> str:
        """The selected scorer, whose cells are read."""
        default: str = self.content["settings"].get("scoring") or DEFAULT_SCORER
        return self.chosen_scoring or next(iter(self.scorings), default)

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The metrics of the selected scorer's cells, in the order of the evaluations."""
        return tuple(dict.fromkeys(cell.metric for cell in self.all_cells if cell.scoring == self.scoring))

    @property
    def metric(self) -> str:
        """The name of the selected metric, whose cells are read."""
        return self.chosen_metric or next(iter(self.metrics), DEFAULT_METRIC)

    def select(self, scoring: str | None = None, metric: str | None = None) -> Run:
        """The same run, read under one of its scorers and metrics.

        Args:
            scoring: one of `scorings`; `None` for the first.
            metric: one of `metrics`; `None` for the first.

        Raises:
            RunError: the run holds no cells of that scorer or metric.
        """
        if scoring is not None and scoring not in self.scorings and (self.scorings or scoring != self.scoring):
            raise RunError(
                f"the run holds no outcomes of the scoring method '{scoring}'",
                expected=f"one of: {', '.join(self.scorings)}" if self.scorings else None,
                where=self.name,
                hint=self._hint_to_add(f"--scoring {quote(scoring)} with the same --out adds them"),
            )
        chosen = replace(self, chosen_scoring=scoring, chosen_metric=None)
        if metric is not None and metric not in chosen.metrics and (chosen.metrics or metric != chosen.metric):
            raise RunError(
                f"the run holds no scores of the metric '{metric}'",
                expected=f"one of: {', '.join(chosen.metrics)}" if chosen.metrics else None,
                where=self.name,
                hint=self._hint_to_add(f"--metric {metric} with the same --out adds them without asking the model"),
            )
        return replace(self, chosen_scoring=scoring, chosen_metric=metric)

    def _hint_to_add(self, options: str) -> str:
        """How outcomes of another scorer or metric come into the run's folder."""
        settings: Settings = self.content["settings"]
        if IMPORTED in settings:
            return "An imported run has what its files hold (phraseproof import-results)"
        if CALIBRATION in settings:
            return f"It was derived from {self.content.get(DERIVED_FROM, {}).get('run', 'another run')}"
        return f"phraseproof evaluate {options}"

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of wordings, in the order they were named."""
        return tuple(self.content.get("groups", ())) or tuple(dict.fromkeys(cell.group for cell in self.cells))

    @property
    def model_parameters(self) -> int | None:
        """The number of the model's parameters; `None` if it is unknown."""
        return self.content.get("model", {}).get("parameters")

    @cached_property
    def accuracies(self) -> tuple[WordingScore, ...]:
        """Published accuracies of wordings, which an imported run holds instead of cells; no other run has any."""
        return tuple(WordingScore(**row) for row in self.content.get(ACCURACIES, {}).values())

    @cached_property
    def share(self) -> float:
        """The share of the grid that the run's cells hold when they are done: below 1 if it has a budget, else 1."""
        asked = sum(cell.num_examples for cell in self.cells)
        whole = sum(cell.grid_examples or cell.num_examples for cell in self.cells)
        return asked / whole if whole else 1.0

    def require_whole(self) -> None:
        """Refuse a run with a budget: its wordings have different examples, so their means cannot be compared.

        Raises:
            RunError: the run has a budget; `analysis.estimators.budget.estimate_run` reads such a run.
        """
        if self.share < 1:
            raise RunError(
                f"the run holds {100 * self.share:.3g}% of its grid: its wordings met different examples",
                expected="a run without --budget",
                where=self.name,
                hint="phraseproof table shows estimates of it; evaluate without --budget computes the rest",
            )

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of the run under the selected scorer and metric, completed or not."""
        return tuple(cell for cell in self.all_cells if (cell.scoring, cell.metric) == (self.scoring, self.metric))

    @cached_property
    def all_cells(self) -> tuple[Cell, ...]:
        """The cells of the run under all its scorers and metrics, completed or not."""
        return tuple(Cell(**cell) for cell in self.content["cells"])

    @cached_property
    def missing(self) -> tuple[Cell, ...]:
        """The cells that are not complete yet."""
        return self._complete.missing(self.cells)

    def missing_of(self, cells: Iterable[Cell]) -> tuple[Cell, ...]:
        """Those of some cells of the run, under any scorer and metric, that are not complete."""
        return self._complete.missing(cells)

    def checksum(self, cell: Cell) -> int:
        """The CRC-32 of the file that a complete cell was written to, also after `compact`.

        Raises:
            RunError: the cell is not complete, or its file cannot be read.
        """
        return self._complete.checksum(cell)

    @property
    def _complete(self) -> CompleteCells:
        """The folder's complete cells; `select` keeps what is known of them."""
        return self._shared.setdefault("cells", CompleteCells(self.path, self.content))

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The missing cells whose computation failed, with their errors."""
        missing = set(self.missing)
        found: list[Failure] = []
        for path in files_in(self.path / "failures", ".json"):
            try:
                entry = cast("RunContent", read_json(path))
                cell, error = cell_of(entry["cell"], self.content["settings"]), str(entry["error"])
            except FileNotFoundError:  # a trial that another process made meanwhile did not fail
                continue
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as damage:
                raise RunError(
                    f"the record of a failure is damaged: {type(damage).__name__}: {damage}",
                    where=str(path),
                    hint="Delete it: it holds no outcomes",
                ) from None
            if cell in missing:
                found.append(Failure(cell, error))
        return tuple(found)

    def wording_texts(self) -> Mapping[tuple[str, str], str]:
        """The text of each wording by task and name `collection/id`, with its template's placeholders."""
        entries: Mapping[str, RunContent] = self.content.get("instructions", {})
        texts: dict[tuple[str, str], str] = {}
        for task, instruction in dict.fromkeys((cell.task, cell.instruction) for cell in self.cells):
            found = next((entries[key] for key in wording_keys(task, instruction) if key in entries), None)
            if found is not None:
                texts[task, instruction] = found["text"]
        return texts

    def wording_scores(self) -> list[WordingScore]:
        """Each wording's mean score on each task over the completed cells, in the order of the plan.

        For an imported run (`import-results`), the published accuracies.

        Raises:
            RunError: the run has a budget (`require_whole`), or no cell is complete.
        """
        if self.accuracies:
            return list(self.accuracies)
        self.require_whole()
        rows = self.mean_scores("task", "category", "group", "instruction", "num_fewshot")
        order = {(cell.task, cell.group, cell.instruction, cell.num_fewshot): n for n, cell in enumerate(self.cells)}
        scores = [WordingScore(**row) for row in rows]
        return sorted(scores, key=lambda row: order[row.task, row.group, row.instruction, row.num_fewshot])

    def mean_scores(self, *by: str) -> list[dict[str, Any]]:
        """The metric of the completed cells' outcomes by some of their columns.

        Returns:
            Rows of the columns `by`, of `mean_score` (of a corpus metric its value for all outcomes of the row) and of
            `num_examples`.

        Raises:
            UsageError: no column.
            NotEnoughDataError, RunError: as `query`.
        """
        if not by:
            raise UsageError("mean_scores needs a column", expected='at least one, such as mean_scores("task")')
        names = ", ".join(f'"{name}"' for name in by)
        judge = metric(self.metric)
        value = "flatten(list(statistics)) AS mean_score" if judge.is_corpus else "avg(score) AS mean_score"
        rows = self.query_rows(f"SELECT {names}, {value}, count(*) AS num_examples FROM outcomes GROUP BY ALL")  # noqa: S608
        if judge.is_corpus:
            for row in rows:
                sums = np.array(row["mean_score"], dtype=np.float64).reshape(row["num_examples"], -1).sum(axis=0)
                row["mean_score"] = float(judge.aggregate(sums, row["num_examples"]))
        return rows

    def read_cells(
        self, columns: Sequence[str], *, only: Sequence[Cell] | None = None
    ) -> Iterator[tuple[Cell, pa.Table]]:
        """The completed cells one by one, in the order of the plan, with some of their columns.

        Args:
            columns: names from store/schema.py.
            only: the cells to read; all by default.

        Raises:
            NotEnoughDataError: the run was imported and holds no outcomes.
            RunError: no cell is complete, or a cell's file is damaged.
        """
        wanted = None if only is None else set(only)
        for place, cell in zip(self._done_places, self.done_cells(), strict=True):
            if wanted is not None and cell not in wanted:
                continue
            table = self._complete.read(place, cell, columns)
            if len(table.column_names) < len(columns):
                table = add_missing_columns(table).select(list(columns))
            yield cell, table

    def outcomes(self) -> pa.Table:
        """Every stored row of the selected scorer (columns: store/schema.py)."""
        return self.query("SELECT * FROM outcomes")

    def query(self, sql: str, parameters: Sequence[object] | None = None, *, others: Run | None = None) -> pa.Table:
        """Run a DuckDB query over the view `outcomes`: the rows of all completed cells.

        Every `?` in the query is replaced by the next parameter. The result converts with `.to_pandas()`,
        `polars.from_arrow(...)` or `.to_pylist()`.

        Args:
            sql: the query.
            parameters: of its question marks.
            others: a run whose rows are the view `others`, such as the same one under another scorer.

        Raises:
            NotEnoughDataError: the run was imported and holds no outcomes.
            RunError: no cell is complete, or a cell's file is damaged.
        """
        import duckdb

        views = {"outcomes": self} | ({} if others is None else {"others": others})
        for trial in range(TRIALS):
            places = {name: run._done_places for name, run in views.items()}  # noqa: SLF001 - of the same class
            connection = duckdb.connect()
            try:
                for name, run in views.items():
                    is_mixed = bool(run.content.get(OLDER_CELLS))
                    create_outcomes_view(connection, places[name], scoring=run.scoring, is_mixed=is_mixed, name=name)
                return connection.sql(sql, params=parameters).to_arrow_table()
            except duckdb.Error as error:
                moved = [run for run in views.values() if run._forget_moved()]  # noqa: SLF001
                if trial + 1 == TRIALS or not moved:
                    raise RunError(f"the query failed: {str(error).splitlines()[0]}", where=self.name) from None
        raise AssertionError

    def query_rows(
        self, sql: str, parameters: Sequence[object] | None = None, *, others: Run | None = None
    ) -> list[dict[str, Any]]:
        """The result of `query` as plain rows, for small results."""
        return self.query(sql, parameters, others=others).to_pylist()

    def done_cells(self) -> Sequence[Cell]:
        """The completed cells.

        Raises:
            NotEnoughDataError: the run has none by its kind: it holds imported accuracies.
        """
        if self.accuracies:
            raise NotEnoughDataError(
                "the run holds imported accuracies of wordings, and no outcomes of examples", where=self.name
            )
        missing = set(self.missing)
        return [cell for cell in self.cells if cell not in missing] if missing else self.cells

    @cached_property
    def _done_places(self) -> list[CellPlace]:
        """Where the completed cells are, checked once."""
        places = self._complete.places(self.done_cells(), self.missing)
        if not places:
            raise RunError(
                "no cell of the run is done yet", where=self.name, hint="Run evaluate again to go on with it"
            )
        return places

    def _forget_moved(self) -> bool:
        """Find the cells again if files of them were compacted since; whether there are any."""
        has_moved = self._complete.have_moved(self._done_places)
        if has_moved:
            del self.__dict__["_done_places"]
        return has_moved


def load_run(path: str | Path) -> Run:
    """Open a run folder for reading.

    Args:
        path: the run folder, or the URL of a run in object storage, whose files are brought to this machine.

    Raises:
        RunError: `path` is no run folder, or its `run.json` is damaged.
    """
    folder = folder_to_read(path)
    return Run(folder, read_run_file(folder))
