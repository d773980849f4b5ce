"""Finds, checks, reads and writes the files of cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, cast

import pyarrow as pa
import pyarrow.parquet as pq

from phraseproof.core import Cell
from phraseproof.errors import RunError
from phraseproof.files import files_in, parse_json, replacing_many
from phraseproof.identity import content_hash
from phraseproof.store.checksums import checksum_of, damaged, reason_of, require_checksum
from phraseproof.store.journal import JOURNAL_SUFFIX, StoredOutcome, journal_path, read_journal
from phraseproof.store.packs import CellPlace, is_pack, opened, pack_checksum, packs_of, read_pack
from phraseproof.store.schema import COLUMNS, IDENTITY_KEY, USAGE_KEY, to_outcomes
from phraseproof.store.usage import Usage, total

_ROWS_FOR_THREADS = 10_000
_NAMES_KEPT = 10_000
"""Of how many tasks, groups and cells parts of paths are kept: a run asks for each path some ten times."""


@lru_cache(_NAMES_KEPT)
def slug(text: str) -> str:
    """A folder name for any text: readable, and different for different texts."""
    found = re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip(".")[:80]
    return found if found == text else f"{found}-{content_hash(text)[:8]}"


def cell_path(run: Path, cell: Cell) -> Path:
    """The file of `cell` in the run folder `run`."""
    name = f"{cell.identity}-{_label(cell.task, cell.instruction, cell.fewshot_seed)}.parquet"
    return run / "cells" / slug(cell.task) / slug(cell.group) / name


@lru_cache(_NAMES_KEPT)
def _label(task: str, instruction: str, fewshot_seed: int) -> str:
    return content_hash([task, instruction, fewshot_seed])[:8]


def whole_identity(identity: str) -> str:
    """The identity of the whole cell. The identity of a part (`--budget`) is that, `_`, and a hash of its examples."""
    return identity.partition("_")[0]


class CellFiles:
    """An index of a run's files by identity. Each folder is listed once; it is listed again where a file has gone.

    Args:
        run: the run folder.
        checksums: by the files' paths in the folder, from `run.json`. A pack has its own in its name.
        whole_packs: packs whose checksum was compared before.
    """

    def __init__(self, run: Path, checksums: Mapping[str, int] | None = None, whole_packs: Iterable[Path] = ()) -> None:
        self._run = run
        self._checksums = checksums or {}
        self._cells: dict[str, _Listing] = {}
        self._journals: dict[str, dict[str, list[Path]]] = {}
        self._whole = set(whole_packs)

    def of_cell(self, cell: Cell) -> CellPlace | None:
        """Where the cell's outcomes are: under its own name, or with the same identity under another name or group."""
        path = cell_path(self._run, cell)
        if path.exists():
            return CellPlace(path)
        found = self._find(cell, path)
        if found is not None and not found.path.exists():  # compacted since the folder was listed
            self.refresh()
            found = self._find(cell, path)
        return found

    def under_own_name(self, cell: Cell) -> CellPlace | None:
        """Where the cell's outcomes are under its own name; `None` where it is not complete."""
        listing, path = self._listed(cell.task), cell_path(self._run, cell)
        if path.exists():
            return CellPlace(path)
        if _file(path) in listing.own:  # compacted since the folder was listed
            self.refresh()
        return self._listed(cell.task).packed.get(_file(path))

    def _find(self, cell: Cell, path: Path) -> CellPlace | None:
        listing = self._listed(cell.task)
        if (own := listing.packed.get(_file(path))) is not None:
            return own
        same = listing.by_identity.get(whole_identity(cell.identity), ())
        return next((found for found in same if identity_in_name(found.file) == cell.identity), None)

    def damaged_packs(self, task: str) -> Mapping[Path, RunError]:
        """The packs of a task whose list of cells cannot be read, with the error. Any cell may be in them."""
        return self._listed(task).damaged

    def refresh(self) -> None:
        """Forget what was listed, because files were written or compacted since."""
        self._cells.clear()
        self._journals.clear()

    def require_whole(self, place: CellPlace) -> None:
        """Raise a `RunError` if a file's checksum is known and differs. A pack is read once."""
        if place.path in self._whole:
            return
        checksum = pack_checksum(place.path)
        if checksum is None:
            checksum = self._checksums.get(place.path.relative_to(self._run).as_posix())
        if checksum is not None:
            require_checksum(place.path, checksum)
        if place.row_group is not None:
            self._whole.add(place.path)

    def stored(self, task: str, identity: str) -> Iterator[dict[str, StoredOutcome]]:
        """The outcomes stored under an identity, file by file: the whole cell, parts of it, and journals.

        Damaged files are skipped: their outcomes are computed again.
        """
        for place in self.of_wording(task, identity):
            try:
                self.require_whole(place)
                yield read_stored(place)
            except RunError:
                if not place.path.exists() and (moved := self.moved(task, place)) is not None:
                    with suppress(RunError):
                        self.require_whole(moved)
                        yield read_stored(moved)

    def moved(self, task: str, place: CellPlace) -> CellPlace | None:
        """Where the outcomes of a file are that was compacted since the folder was listed."""
        self.refresh()
        return self._listed(task).packed.get(_file(place.path))

    def journals(self, task: str, identity: str) -> list[Path]:
        """The journals of a whole cell and of parts of it."""
        return list(self._listed_journals(task).get(whole_identity(identity), ()))

    def of_wording(self, task: str, identity: str) -> list[CellPlace]:
        """All places with outcomes of a whole cell or of parts of it, complete cells before journals."""
        whole = whole_identity(identity)
        journals = map(CellPlace, self._listed_journals(task).get(whole, ()))
        return [*self._listed(task).by_identity.get(whole, ()), *journals]

    def _listed(self, task: str) -> _Listing:
        if task not in self._cells:
            self._cells[task] = _list_cells(self._run / "cells" / slug(task))
        return self._cells[task]

    def _listed_journals(self, task: str) -> dict[str, list[Path]]:
        if task not in self._journals:
            folder = journal_path(self._run, slug(task), "any").parent
            found: dict[str, list[Path]] = {}
            for path in files_in(folder, JOURNAL_SUFFIX):
                found.setdefault(whole_identity(identity_in_name(path.name)), []).append(path)
            self._journals[task] = found
        return self._journals[task]


class _Listing(NamedTuple):
    """The complete cells of a task.

    Attributes:
        by_identity: the places of whole cells and parts, by the whole's identity. A cell that has a file of its own is
            not looked for in packs.
        own: the files of single cells.
        packed: places in packs, by the file that the cell had.
        damaged: the packs that cannot be read.
    """

    by_identity: dict[str, list[CellPlace]]
    own: set[str]
    packed: dict[str, CellPlace]
    damaged: dict[Path, RunError]


def _list_cells(folder: Path) -> _Listing:
    packs, files = packs_of(folder), own_files(folder)
    while (now := packs_of(folder)) != packs:  # cells moved between files and packs in between
        packs, files = now, own_files(folder)
    listing = _Listing({}, set(map(_file, files)), {}, {})
    for pack in packs:
        try:
            cells = read_pack(pack)
        except RunError as error:
            listing.damaged[pack] = error
            continue
        for number, cell in enumerate(cells):
            listing.packed.setdefault(cell.file, CellPlace(pack, number))
    own = {_file(path): CellPlace(path) for path in files}
    for file, place in sorted((listing.packed | own).items()):
        listing.by_identity.setdefault(whole_identity(identity_in_name(file)), []).append(place)
    return listing


def own_files(task_folder: Path) -> list[Path]:
    """The files of single cells in `cells/TASK`, by name."""
    return sorted(
        path for path in task_folder.glob("*/*.parquet") if not path.name.startswith(".") and not is_pack(path)
    )


def _file(path: Path) -> str:
    """The path of a cell's own file below its task's folder."""
    return f"{path.parent.name}/{path.name}"


def identity_in_name(file: str) -> str:
    """The identity in the name or path of a cell's file or journal."""
    return file.rpartition("/")[2].split("-")[0].removesuffix(JOURNAL_SUFFIX)


class FileHead(NamedTuple):
    """The metadata of a stored cell: its identity, its cost, its number of rows, and the names of its columns."""

    identity: str
    usage: Usage
    rows: int
    columns: Sequence[str]


def read_head(place: CellPlace) -> FileHead:
    """The head of a stored cell.

    Raises:
        RunError: it is damaged.
    """
    path, packed = place.path, place.packed
    try:
        if packed is not None:
            identity, values, rows, columns = packed.identity, packed.usage, packed.rows, COLUMNS.names
        else:
            with opened(path) as file:
                metadata = file.schema_arrow.metadata or {}
                rows, columns = int(file.metadata.num_rows), file.schema_arrow.names
            values = cast("dict[str, Any]", parse_json(metadata.get(USAGE_KEY) or b"{}"))
            identity = (metadata.get(IDENTITY_KEY) or b"").decode(errors="replace")
        usage = Usage(**values)
        total([Usage(), usage])  # fails for what is not a number
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:
        raise damaged(path, reason_of(error)) from None
    return FileHead(identity, usage, rows, columns)


def check_cell(place: CellPlace, cell: Cell) -> FileHead:
    """Read the metadata of the stored `cell`, and check it.

    Raises:
        RunError: the file is damaged, or holds another cell or another number of outcomes.
    """
    head = read_head(place)
    if head.identity != cell.identity:
        raise damaged(
            place.path, f"it holds the cell {head.identity or 'without an identity'}, not the one its name says"
        )
    if head.rows != cell.num_examples:
        raise damaged(place.path, f"it holds {head.rows} outcomes instead of {cell.num_examples}")
    return head


def read_table(place: CellPlace, columns: Sequence[str] | None = None) -> pa.Table:
    """A stored cell's columns, its pages checked.

    Raises:
        RunError: it is damaged.
    """
    wanted = None if columns is None else list(columns)
    try:
        # Not pq.read_table: its dataset layer costs more time than reading a small file.
        with opened(place.path) as file:
            if place.row_group is not None:
                return file.read_row_group(place.row_group, columns=wanted, use_threads=False)
            # Threads read a large file faster, and a small one slower.
            return file.read(columns=wanted, use_threads=file.metadata.num_rows > _ROWS_FOR_THREADS)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise damaged(place.path, reason_of(error)) from None


def read_stored(place: CellPlace) -> dict[str, StoredOutcome]:
    """The outcomes of a stored cell or a journal, by example, each with its share of the cost.

    Raises:
        RunError: a cell file is damaged. (A journal may end in the middle of a line: it is read up to there.)
    """
    if place.path.name.endswith(JOURNAL_SUFFIX):
        return read_journal(place.path)
    head = read_head(place)
    if head.identity != identity_in_name(place.file):
        raise damaged(
            place.path, f"it holds the cell {head.identity or 'without an identity'}, not the one its name says"
        )
    share = head.usage.part(1 / max(1, head.rows))
    return {outcome.example_id: StoredOutcome(outcome, share) for outcome in to_outcomes(read_table(place))}


def write_parquet(files: Iterable[tuple[Path, pa.Table]]) -> list[int]:
    """Write cell files whole, with a checksum per page: all of them, or none if it fails.

    Returns:
        The CRC-32 of each file.
    """
    checksums: list[int] = []
    with replacing_many(error=RunError) as temporary:
        for path, table in files:
            new = temporary(path)
            # zstd finds repeated values itself: without dictionaries files are smaller, and faster to write and read.
            pq.write_table(table, new, compression="zstd", use_dictionary=False, write_page_checksum=True)
            checksums.append(checksum_of(new))  # another process may compact the file as soon as it has its name
    return checksums
