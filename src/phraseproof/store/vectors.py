"""The vectors of a run: one per example and wording, in the folder `representations` of the run folder.

Vectors of another layer than the penultimate are in another folder, such as `representations-layer-1`. Each folder is
itself a run folder (`run.json`, one Parquet file per cell), so that vectors are written, claimed and
resumed as outcomes are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import pyarrow as pa

from phraseproof.core import Cell
from phraseproof.errors import RunError
from phraseproof.identity import SCHEMA_VERSION
from phraseproof.store.cell_files import CellFiles, cell_path, check_cell, read_table
from phraseproof.store.checksums import CHECKSUMS, require_checksum
from phraseproof.store.packs import CellPlace
from phraseproof.store.run_file import RUN_FILE, RunContent, Settings, read_run_file
from phraseproof.store.schema import IDENTITY_KEY, SCHEMA_KEY

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDER = "representations"
"""The folder of the penultimate layer; those of other layers begin with it."""

LAYER = "layer"
"""The setting that names another layer than the penultimate."""

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
        path: their folder.
        content: its `run.json`.
    """

    path: Path
    content: RunContent

    @property
    def settings(self) -> Settings:
        """The settings that all vectors share: model, prompt format, sample."""
        return self.content["settings"]

    @property
    def layer(self) -> int | None:
        """The layer of the vectors, counted from 0; `None` for the penultimate."""
        return self.settings.get(LAYER)

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
        checksums: Mapping[str, int] = self.content.get(CHECKSUMS, {})
        checksum = checksums.get(path.relative_to(self.path).as_posix())
        if checksum is not None:
            require_checksum(path, checksum)
        check_cell(CellPlace(path), cell)
        return _read_file(CellPlace(path))


def vector_folder(run: str | Path, layer: int | None = None) -> Path:
    """The folder of the vectors of a layer, counted from 0; `None` for the penultimate."""
    return Path(run) / (FOLDER if layer is None else f"{FOLDER}-layer-{layer}")


def load_vectors(run: str | Path, layer: int | None = None) -> StoredVectors:
    """Open the vectors of a run folder for reading.

    Args:
        run: the folder.
        layer: counted from 0; `None` for the penultimate.

    Raises:
        RunError: there are none.
    """
    folder = vector_folder(run, layer)
    if not (folder / RUN_FILE).exists():
        raise RunError("no representations are stored here", where=str(run), hint="phraseproof represent extracts them")
    return StoredVectors(folder, read_run_file(folder))


def read_vectors(files: CellFiles, task: str, identity: str) -> Iterator[dict[str, NDArray[np.float32]]]:
    """The vectors stored under an identity, by example, file by file; damaged files are skipped."""
    for place in files.of_wording(task, identity):
        try:
            files.require_whole(place)
            ids, array = _read_file(place)
        except RunError:
            continue
        yield dict(zip(ids, array, strict=True))


def _read_file(place: CellPlace) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """A stored cell's example ids and its vectors, [examples, width]."""
    table = read_table(place, ["example_id", "vector"])
    vectors = cast("pa.FixedSizeListArray", table["vector"].combine_chunks())
    array = np.asarray(vectors.flatten().to_numpy(), dtype=np.float32)
    return tuple(table["example_id"].to_pylist()), array.reshape(table.num_rows, -1)


def vector_table(cell: Cell, example_ids: Sequence[str], vectors: NDArray[np.float32]) -> pa.Table:
    """One cell's vectors [examples, width] as columns: the cell's names, `example_id`, and `vector` of a fixed size."""
    count, width = vectors.shape
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
    columns: dict[str, pa.Array] = {name: pa.array([getattr(cell, name)] * count, pa.string()) for name in _LABELS}
    columns["num_fewshot"] = pa.array([cell.num_fewshot] * count, pa.int32())
    columns["fewshot_seed"] = pa.array([cell.fewshot_seed] * count, pa.int32())
    columns["example_id"] = pa.array(list(example_ids), pa.string())
    columns["vector"] = pa.FixedSizeListArray.from_arrays(flat, width)
    metadata = {IDENTITY_KEY: cell.identity.encode(), SCHEMA_KEY: str(SCHEMA_VERSION).encode()}
    return pa.table(columns).replace_schema_metadata(metadata)
