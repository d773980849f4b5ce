"""Moves the files of complete cells into packs, and out of damaged ones, without a moment in which an outcome is lost.

A pack is on disk, and its checksum compared, before the files of its cells are removed. A kill in between leaves both;
readers then take the files, and the next compaction removes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from phraseproof.core import Cell
from phraseproof.errors import RunError
from phraseproof.files import sync_folder
from phraseproof.identity import SCHEMA_VERSION
from phraseproof.store.cell_files import cell_path, identity_in_name, own_files, read_head, read_table
from phraseproof.store.checksums import checksum_of, damaged, require_checksum
from phraseproof.store.integrity import check_contents
from phraseproof.store.packs import FOLDER, CellPlace, PackedCell, pack_checksum, packs_of, read_pack, write_pack
from phraseproof.store.schema import CELL_COLUMNS, COLUMNS, SCHEMA_KEY, add_missing_columns, with_metadata

CELLS_IN_A_PACK = 256
ENOUGH_FILES = 2 * CELLS_IN_A_PACK
"""With this many files of single cells in a task, a run compacts them without being asked."""

_BYTES_IN_A_PACK = 512 << 20
_SCHEMA = str(SCHEMA_VERSION).encode()

Removal = Callable[[], AbstractContextManager[None]]
"""Keeps out of a block the processes that rely on files staying where they are."""


class Compacted(NamedTuple):
    """What a compaction did: how many files of cells are removed, and how many packs are new."""

    files: int
    packs: int


def compact(run: Path, checksums: Mapping[str, int], removal: Removal, *, least: int = 1) -> Compacted:
    """Move the files of complete cells into packs. Damaged files stay where they are, for readers to report.

    Only one process may compact a folder at a time; any number may read and write it.

    Args:
        run: the run folder.
        checksums: of the files, by their paths in the folder.
        removal: entered while files are removed.
        least: tasks with fewer files of single cells are left as they are.

    Raises:
        RunError: a pack cannot be written.
    """
    files = packs = 0
    for folder in sorted(path for path in (run / "cells").glob("*") if path.is_dir()):
        for leftover in (folder / FOLDER).glob(".packing.*.tmp"):  # of a process that was killed
            leftover.unlink(missing_ok=True)
        if len(own_files(folder)) < least:
            continue
        files += _remove_packed(folder, removal)
        for batch in _batches(own_files(folder)):
            removed = _pack(run, folder, batch, checksums, removal)
            files, packs = files + removed, packs + bool(removed)
    return Compacted(files, packs)


def pack_damage(pack: Path) -> RunError | None:
    """What is wrong with a pack: its content is not what its name says, or it cannot be read."""
    try:
        require_checksum(pack, pack_checksum(pack) or 0)
        read_pack(pack)
    except RunError as error:
        return error
    return None


def whole_files(pack: Path, task_folder: Path) -> list[tuple[Path, pa.Table]]:
    """The files of those cells of a damaged pack that are whole; none if its list of cells cannot be read."""
    found: list[tuple[Path, pa.Table]] = []
    try:
        cells = read_pack(pack)
    except RunError:
        return []
    for number, packed in enumerate(cells):
        path, place = task_folder / packed.file, CellPlace(pack, number)
        if path.exists():
            continue
        try:
            table = read_table(place)
            check_contents(place, _cell_of(table, path))
        except RunError:
            continue
        found.append((path, with_metadata(table, packed.identity, json.dumps(packed.usage))))
    return found


def set_aside(pack: Path) -> None:
    """Give a damaged pack a name by which it is not read."""
    pack.replace(pack.with_name(f"{pack.name}.damaged"))
    sync_folder(pack.parent)


def _batches(files: Sequence[Path]) -> Iterator[list[Path]]:
    """Files in the order in which they were written, which is nearly that of the plan."""
    batch: list[Path] = []
    size = 0
    states = [(path.stat(), path) for path in files]
    for state, path in sorted(states, key=lambda each: (each[0].st_mtime_ns, each[1])):
        batch.append(path)
        size += state.st_size
        if len(batch) == CELLS_IN_A_PACK or size >= _BYTES_IN_A_PACK:
            yield batch
            batch, size = [], 0
    if len(batch) > 1:
        yield batch


def _pack(run: Path, folder: Path, files: Sequence[Path], checksums: Mapping[str, int], removal: Removal) -> int:
    """Move files into one pack; how many. Those that cannot be packed stay."""
    tables = _readable(run, files, checksums)
    first = list(islice(tables, 2))
    if len(first) < 2:
        return 0
    cells = write_pack(folder, chain(first, tables), COLUMNS)
    return _remove((folder / cell.file for cell in cells), removal)


def _remove_packed(folder: Path, removal: Removal) -> int:
    """Remove the files of cells that are in a whole pack, which a kill left there; how many."""
    own = set(own_files(folder))
    removed = 0
    for pack in packs_of(folder):
        try:
            found = own.intersection(folder / cell.file for cell in read_pack(pack))
            if found:
                require_checksum(pack, pack_checksum(pack) or 0)
                removed += _remove(found, removal)
        except RunError:
            continue
    return removed


def _remove(files: Iterable[Path], removal: Removal) -> int:
    removed = 0
    with removal():
        for path in files:
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _readable(run: Path, files: Sequence[Path], checksums: Mapping[str, int]) -> Iterator[tuple[PackedCell, pa.Table]]:
    """Whole cell files that hold outcomes, with all columns of `schema.COLUMNS`."""
    for path in files:
        place, known = CellPlace(path), checksums.get(path.relative_to(run).as_posix())
        try:
            head = read_head(place)
            if "score" not in head.columns or not set(head.columns) <= set(COLUMNS.names):  # vectors
                continue
            if known is not None:
                require_checksum(path, known)
            stored = read_table(place)
            metadata = stored.schema.metadata or {}
            table = add_missing_columns(stored).select(COLUMNS.names).replace_schema_metadata(None)
            if not len(table) or not table.schema.equals(COLUMNS) or metadata.get(SCHEMA_KEY) != _SCHEMA:
                continue
            if head.identity != identity_in_name(path.name):
                continue
            if known is None:
                check_contents(place, _cell_of(table, path))
                known = checksum_of(path)
        except RunError:
            continue
        file = f"{path.parent.name}/{path.name}"
        yield PackedCell(file, head.identity, known, head.rows, asdict(head.usage)), table


def _cell_of(table: pa.Table, path: Path) -> Cell:
    """The cell that the first row names, with the identity in the name of its file."""
    values = table.slice(0, 1).to_pylist()[0] if len(table) else {}
    named = {name: values[name] for name in CELL_COLUMNS if values.get(name) is not None}
    if not named.keys() >= {"task", "category", "instruction", "group", "num_fewshot", "fewshot_seed"}:
        raise damaged(path, "its first row does not name its cell")
    cell = Cell(identity=identity_in_name(path.name), num_examples=len(table), **named)
    if cell_path(path.parents[3], cell) != path:
        raise damaged(path, "its rows name another cell than its name")
    return cell
