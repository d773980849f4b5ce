"""Representations beside a run: vectors by cell, and what was found about them, in the folder `representations`.

The vectors lie in a run folder of their own (`run.json`, one Parquet file a cell), so they are written, claimed and
resumed as outcomes are. `map.json` holds what `represent` found, for reports that draw it without computing anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from phraseproof.core import Cell
from phraseproof.errors import RunError
from phraseproof.files import write_json
from phraseproof.identity import SCHEMA_VERSION, content_hash
from phraseproof.store.cell_files import cell_path, check_cell, read_table
from phraseproof.store.run_file import RUN_FILE, read_run_file
from phraseproof.store.schema import IDENTITY_KEY, SCHEMA_KEY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phraseproof.store.queries import Run

FOLDER = "representations"
MAP_FILE = "map.json"
MAP_VERSION = 1

_LABELS = ("task", "category", "instruction", "group")


class TaskVectors(NamedTuple):
    """The vectors of one task at one number of demonstrations.

    Attributes:
        instructions, groups: of each wording, parallel to the first axis of `array`.
        example_ids: parallel to its second axis.
        array: [wordings, examples, width], float32, in the model's own unit.
    """

    task: str
    category: str
    num_fewshot: int
    instructions: tuple[str, ...]
    groups: tuple[str, ...]
    example_ids: tuple[str, ...]
    array: NDArray[np.float32]


@dataclass(frozen=True)
class StoredVectors:
    """The vectors of a run, opened for reading.

    Attributes:
        path: the folder they lie in.
        content: its `run.json`.
    """

    path: Path
    content: Mapping[str, Any]

    @property
    def settings(self) -> Mapping[str, Any]:
        """What is the same for all of them: model, prompt format, sample."""
        return self.content["settings"]

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, done or not."""
        return tuple(Cell(**cell) for cell in self.content["cells"])

    @cached_property
    def missing(self) -> tuple[Cell, ...]:
        """The cells that are not done yet."""
        return tuple(cell for cell in self.cells if not cell_path(self.path, cell).exists())

    def planes(self) -> list[tuple[str, int]]:
        """The (task, number of demonstrations) of the cells that are done, in their order."""
        done = (cell for cell in self.cells if cell not in set(self.missing))
        return list(dict.fromkeys((cell.task, cell.num_fewshot) for cell in done))

    def of(self, task: str, num_fewshot: int) -> TaskVectors:
        """The vectors of one task, of the wordings that are done.

        Raises:
            RunError: there are none, a cell's file is damaged, or cells do not hold the same examples.
        """
        lacking = set(self.missing)
        cells = [
            cell for cell in self.cells if (cell.task, cell.num_fewshot) == (task, num_fewshot) and cell not in lacking
        ]
        if not cells:
            raise RunError(f"there are no representations of {task!r} at {num_fewshot} shots", where=str(self.path))
        read = [self._read(cell) for cell in cells]
        if any(ids != read[0][0] or array.shape != read[0][1].shape for ids, array in read):
            raise RunError(f"the representations of {task!r} are not of the same examples", where=str(self.path))
        return TaskVectors(
            task,
            cells[0].category,
            num_fewshot,
            tuple(cell.instruction for cell in cells),
            tuple(cell.group for cell in cells),
            read[0][0],
            np.stack([array for _, array in read]),
        )

    def _read(self, cell: Cell) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        path = cell_path(self.path, cell)
        check_cell(path, cell)
        table = read_table(path, ["example_id", "vector"])
        vectors: Any = table["vector"].combine_chunks()
        array = np.asarray(vectors.flatten().to_numpy(), dtype=np.float32)
        return tuple(table["example_id"].to_pylist()), array.reshape(table.num_rows, -1)


def load_vectors(run: str | Path) -> StoredVectors:
    """The vectors stored beside a run.

    Raises:
        RunError: there are none.
    """
    folder = Path(run) / FOLDER
    if not (folder / RUN_FILE).exists():
        raise RunError("no representations are stored here", where=str(run), hint="phraseproof represent extracts them")
    return StoredVectors(folder, read_run_file(folder))


def vector_table(cell: Cell, example_ids: Sequence[str], vectors: NDArray[np.float32]) -> pa.Table:
    """One cell's vectors [examples, width] as columns: the cell's names, `example_id`, and `vector` of a fixed size."""
    count, width = vectors.shape
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
    columns: dict[str, Any] = {name: pa.array([getattr(cell, name)] * count, pa.string()) for name in _LABELS}
    columns["num_fewshot"] = pa.array([cell.num_fewshot] * count, pa.int32())
    columns["fewshot_seed"] = pa.array([cell.fewshot_seed] * count, pa.int32())
    columns["example_id"] = pa.array(list(example_ids), pa.string())
    columns["vector"] = pa.FixedSizeListArray.from_arrays(flat, width)
    metadata = {IDENTITY_KEY: cell.identity.encode(), SCHEMA_KEY: str(SCHEMA_VERSION).encode()}
    return pa.table(columns).replace_schema_metadata(metadata)


class MapPoint(NamedTuple):
    """Where one wording of one example lies in a plane drawn by `tsne` or `pca`."""

    task: str
    num_fewshot: int
    method: str
    group: str
    instruction: str
    example_id: str
    x: float
    y: float


class WordingDistance(NamedTuple):
    """How far one wording lies from the reference group's wordings.

    Attributes:
        distance: the mean over examples of the Euclidean distance to the nearest wording of the reference group.
        before: the same in the run it is compared with (without the adapter), if there is one.
        accuracy: its mean score, a fraction, where the run holds outcomes.
        degradation: its accuracy minus the mean accuracy of the reference group; negative is worse.
    """

    task: str
    category: str
    num_fewshot: int
    group: str
    instruction: str
    distance: float
    before: float | None
    accuracy: float | None
    degradation: float | None


class TaskDistance(NamedTuple):
    """The means of a task's wordings, as in the paper's Table 5; fields as in `WordingDistance`."""

    task: str
    category: str
    num_fewshot: int
    distance: float
    before: float | None
    degradation: float | None
    num_wordings: int
    num_examples: int


class Regression(NamedTuple):
    """Degradation on distance, by least squares.

    Attributes:
        slope, slope_low, slope_high: percentage points for each unit of distance, with the 95% interval.
        intercept: percentage points at distance zero.
        p_value: of the slope, two-sided.
        r_squared: the share of variance that the line explains.
        n: points.
    """

    slope: float
    intercept: float
    slope_low: float
    slope_high: float
    p_value: float
    r_squared: float
    n: int


@dataclass(frozen=True, slots=True)
class RepresentationMap:
    """What `represent` found, ready to draw.

    Attributes:
        reference: the group of wordings that distances are measured to (`observed`).
        points: coordinates of wordings and examples, by method.
        distances: one a task, number of demonstrations and wording outside the reference group.
        tasks: their means.
        regression: over the wordings of all tasks; `None` where `regression_reason` says why.
        task_regression: over the tasks' means; `None` where there are too few.
        settings: model, sample, seed, and how the coordinates were made.
        notes: what could not be compared, a sentence each.
        run_state: `run_state` of the run whose accuracies were taken; `None` where there was none.
    """

    reference: str
    points: tuple[MapPoint, ...]
    distances: tuple[WordingDistance, ...]
    tasks: tuple[TaskDistance, ...]
    regression: Regression | None
    task_regression: Regression | None
    regression_reason: str | None
    settings: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    run_state: str | None = None


def write_map(run: str | Path, found: RepresentationMap) -> Path:
    """Replace the findings that lie beside a run's vectors; returns their file.

    Raises:
        RunError: the folder cannot be written.
    """
    path = Path(run) / FOLDER / MAP_FILE
    content = {
        "version": MAP_VERSION,
        "reference": found.reference,
        "points": [point._asdict() for point in found.points],
        "distances": [distance._asdict() for distance in found.distances],
        "tasks": [task._asdict() for task in found.tasks],
        "regression": found.regression._asdict() if found.regression else None,
        "task_regression": found.task_regression._asdict() if found.task_regression else None,
        "regression_reason": found.regression_reason,
        "settings": found.settings,
        "notes": list(found.notes),
        "run_state": found.run_state,
    }
    write_json(path, content, indent=None, error=RunError)
    return path


def run_state(run: Run) -> str:
    """Which cells of a run are done, as a hash: findings that used its accuracies are out of date when it changes."""
    missing = set(run.missing)
    return content_hash(sorted([cell.identity, cell.group, cell.task] for cell in run.cells if cell not in missing))


def out_of_date(run: Run, found: RepresentationMap) -> str:
    """A sentence, where a run's accuracies have changed since distances were set beside them; else an empty text.

    Findings by an earlier version of phraseproof do not tell, and are taken as they are.
    """
    if found.run_state is None or found.run_state == run_state(run):
        return ""
    return (
        "The run was evaluated again after its distances were measured, so the accuracies beside them are old ones; "
        "the same represent command brings them up to date."
    )


def load_map(run: str | Path) -> RepresentationMap | None:
    """What `represent` found beside a run; `None` where it was not run, or has not finished.

    Raises:
        RunError: the file is damaged, or of another version.
    """
    path = Path(run) / FOLDER / MAP_FILE
    if not path.is_file():
        return None
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        version = content["version"]
        if version == MAP_VERSION:
            return RepresentationMap(
                reference=content["reference"],
                points=tuple(MapPoint(**entry) for entry in content["points"]),
                distances=tuple(WordingDistance(**entry) for entry in content["distances"]),
                tasks=tuple(TaskDistance(**entry) for entry in content["tasks"]),
                regression=_regression(content["regression"]),
                task_regression=_regression(content["task_regression"]),
                regression_reason=content["regression_reason"],
                settings=content["settings"],
                notes=tuple(content.get("notes", ())),
                run_state=content.get("run_state"),
            )
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"the findings about representations are damaged: {type(error).__name__}: {error}"
        raise RunError(problem, where=str(path), hint="The same represent command writes them again") from None
    raise RunError(
        "the findings about representations were written by another version of phraseproof",
        expected=f"version {MAP_VERSION}",
        got=str(version),
        where=str(path),
        hint="The same represent command writes them again",
    )


def _regression(entry: Mapping[str, Any] | None) -> Regression | None:
    return None if entry is None else Regression(**entry)
