"""Packs: Parquet files of many complete cells of one task, a row group each, so that a large grid is few files.

A pack is `cells/TASK/packed/packed-CRC.parquet`. It is written once and named by the CRC-32 of its content. Its
metadata lists the cells in the order of their row groups, with the name, checksum and cost of the file that each had.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, cast

import pyarrow as pa
import pyarrow.parquet as pq

from phraseproof.errors import RunError
from phraseproof.files import parse_json, publish, require_regular
from phraseproof.store.checksums import checksum_of, damaged, reason_of

FOLDER = "packed"
_CELLS_KEY = "phraseproof.cells"
_NAME = re.compile(r"packed-([0-9a-f]{8})\.parquet")
_FOOTERS_KEPT = 8
"""Parsed footers that are kept: of 256 cells they take some 6 MB each. Reading in order needs one."""

_INDEXES_KEPT = 4_000


class PackedCell(NamedTuple):
    """A cell in a pack.

    Attributes:
        file: `GROUP/NAME.parquet`, the file below the task's folder that the cell had.
        identity: of the cell.
        checksum: the CRC-32 of that file.
        rows: its number of outcomes.
        usage: its cost, as the file recorded it.
    """

    file: str
    identity: str
    checksum: int
    rows: int
    usage: Mapping[str, Any]


class CellPlace(NamedTuple):
    """Where the outcomes of a cell are: its own file (or a journal), or a row group of a pack."""

    path: Path
    row_group: int | None = None

    @property
    def packed(self) -> PackedCell | None:
        """What the pack says of the cell; `None` outside packs.

        Raises:
            RunError: the pack's list of cells cannot be read.
        """
        return None if self.row_group is None else read_pack(self.path)[self.row_group]

    @property
    def file(self) -> str:
        """The cell's own file below the task's folder, which a cell in a pack no longer has."""
        packed = self.packed
        return f"{self.path.parent.name}/{self.path.name}" if packed is None else packed.file


def is_pack(path: Path) -> bool:
    """Whether a file is a pack, by its name."""
    return path.parent.name == FOLDER and _NAME.fullmatch(path.name) is not None


def pack_checksum(path: Path) -> int | None:
    """The CRC-32 that a pack's name says its content has; `None` for other files."""
    found = _NAME.fullmatch(path.name) if path.parent.name == FOLDER else None
    return None if found is None else int(found[1], 16)


def packs_of(task_folder: Path) -> list[Path]:
    """The packs of a task, by name."""
    return sorted(path for path in (task_folder / FOLDER).glob("packed-*.parquet") if is_pack(path))


def read_pack(path: Path) -> tuple[PackedCell, ...]:
    """The cells of a pack, in the order of its row groups.

    Raises:
        RunError: it is damaged or missing.
    """
    try:
        return _cells(path, _state(path))
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:
        raise damaged(path, reason_of(error)) from None


def opened(path: Path) -> pq.ParquetFile:
    """A cell file or pack, whose pages are checked as they are read. Raises errors of Arrow and `OSError`."""
    require_regular(path)
    footer = _footer(path, _state(path)) if is_pack(path) else None
    return pq.ParquetFile(path, metadata=footer, page_checksum_verification=True)


def _state(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


@lru_cache(_FOOTERS_KEPT)
def _footer(path: Path, _of: tuple[int, int, int]) -> pq.FileMetaData:
    return pq.read_metadata(path)


@lru_cache(_INDEXES_KEPT)
def _cells(path: Path, of: tuple[int, int, int]) -> tuple[PackedCell, ...]:
    footer = _footer(path, of)
    entries = cast("list[list[Any]]", parse_json((footer.metadata or {}).get(_CELLS_KEY.encode(), b"[]")))
    cells = tuple(PackedCell(*entry) for entry in entries)
    rows = [footer.row_group(number).num_rows for number in range(footer.num_row_groups)]
    if not cells or [cell.rows for cell in cells] != rows:
        raise ValueError("its list of cells does not fit its row groups")
    return cells


def write_pack(
    task_folder: Path, tables: Iterable[tuple[PackedCell, pa.Table]], schema: pa.Schema
) -> Sequence[PackedCell]:
    """Write a pack, synced to disk, and read it again to compare its checksum.

    Args:
        task_folder: `cells/TASK` of a run folder.
        tables: each cell with its rows, in the columns of `schema`. They are taken one by one.
        schema: the columns.

    Returns:
        Its cells.

    Raises:
        RunError: it cannot be written. Errors of `tables` are raised as they are; then there is no pack.
    """
    folder = task_folder / FOLDER
    temporary = folder / f".packing.{secrets.token_hex(6)}.tmp"
    cells: list[PackedCell] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(
            temporary,
            schema,
            compression="zstd",
            use_dictionary=False,
            write_page_checksum=True,
            write_statistics=False,
        ) as writer:
            for cell, table in tables:
                writer.write_table(table, row_group_size=max(1, cell.rows))
                cells.append(cell)
            writer.add_key_value_metadata({_CELLS_KEY: json.dumps(cells)})
        checksum = checksum_of(temporary)
        path = folder / f"packed-{checksum:08x}.parquet"
        publish(temporary, path)
        _require_written(path, checksum)
    except OSError as error:
        raise RunError(f"cannot be written: {error.strerror or error}", where=str(folder)) from None
    finally:
        temporary.unlink(missing_ok=True)
    return cells


def _require_written(path: Path, checksum: int) -> None:
    if checksum_of(path) != checksum:
        path.unlink()
        raise RunError("the disk does not hold what was written to it", where=str(path))
