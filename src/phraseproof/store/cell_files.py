"""Finds, checks, reads and writes the files of cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, cast

import pyarrow as pa
import pyarrow.parquet as pq

from phraseproof.core import Cell
from phraseproof.errors import RunError
from phraseproof.files import parse_json, replacing_many, require_regular
from phraseproof.identity import content_hash
from phraseproof.store.checksums import damaged, reason_of, require_checksum
from phraseproof.store.journal import JOURNAL_SUFFIX, StoredOutcome, journal_path, read_journal
from phraseproof.store.schema import IDENTITY_KEY, USAGE_KEY, to_outcomes
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
    """An index of a run's files by identity. Each folder is listed once, so later files are not seen.

    Args:
        run: the run folder.
        checksums: by the files' paths in the folder, from `run.json`.
    """

    def __init__(self, run: Path, checksums: Mapping[str, int] | None = None) -> None:
        self._run = run
        self._checksums = checksums or {}
        self._cells: dict[str, dict[str, list[Path]]] = {}
        self._journals: dict[str, dict[str, list[Path]]] = {}

    def of_cell(self, cell: Cell) -> Path | None:
        """The file of the cell's outcomes: its own, or one with the same identity under another name or group."""
        path = cell_path(self._run, cell)
        if path.exists():
            return path
        same = self._listed(cell.task).get(whole_identity(cell.identity), ())
        return next((found for found in same if _identity_in_name(found) == cell.identity), None)

    def require_whole(self, path: Path) -> None:
        """Raise a `RunError` if a file's checksum is known and differs."""
        checksum = self._checksums.get(path.relative_to(self._run).as_posix())
        if checksum is not None:
            require_checksum(path, checksum)

    def stored(self, task: str, identity: str) -> Iterator[dict[str, StoredOutcome]]:
        """The outcomes stored under an identity, file by file: the whole cell, parts of it, and journals.

        Damaged files are skipped: their outcomes are computed again.
        """
        for path in self.of_wording(task, identity):
            try:
                self.require_whole(path)
                yield read_stored(path)
            except RunError:
                continue

    def journals(self, task: str, identity: str) -> list[Path]:
        """The journals of a whole cell and of parts of it."""
        return list(self._listed_journals(task).get(whole_identity(identity), ()))

    def of_wording(self, task: str, identity: str) -> list[Path]:
        """All files with outcomes of a whole cell or of parts of it, complete cells before journals."""
        whole = whole_identity(identity)
        return [*self._listed(task).get(whole, ()), *self._listed_journals(task).get(whole, ())]

    def _listed(self, task: str) -> dict[str, list[Path]]:
        if task not in self._cells:
            self._cells[task] = _by_identity((self._run / "cells" / slug(task)).glob("*/*.parquet"))
        return self._cells[task]

    def _listed_journals(self, task: str) -> dict[str, list[Path]]:
        if task not in self._journals:
            folder = journal_path(self._run, slug(task), "any").parent
            self._journals[task] = _by_identity(folder.glob(f"*{JOURNAL_SUFFIX}"))
        return self._journals[task]


def _by_identity(paths: Iterable[Path]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(paths):
        if not path.name.startswith("."):
            found.setdefault(whole_identity(_identity_in_name(path)), []).append(path)
    return found


def _identity_in_name(path: Path) -> str:
    return path.name.split("-")[0].removesuffix(JOURNAL_SUFFIX)


class FileHead(NamedTuple):
    """The metadata of a cell file: its identity, its cost, and its number of outcomes."""

    identity: str
    usage: Usage
    rows: int


def read_head(path: Path) -> FileHead:
    """The head of a cell file.

    Raises:
        RunError: it is damaged.
    """
    try:
        require_regular(path)
        with pq.ParquetFile(path) as file:
            metadata = file.schema_arrow.metadata or {}
            rows = int(file.metadata.num_rows)
        usage = Usage(**cast("dict[str, Any]", parse_json(metadata.get(USAGE_KEY) or b"{}")))
        total([Usage(), usage])  # fails for what is not a number
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:
        raise damaged(path, reason_of(error)) from None
    return FileHead((metadata.get(IDENTITY_KEY) or b"").decode(errors="replace"), usage, rows)


def check_cell(path: Path, cell: Cell) -> FileHead:
    """Read the metadata of the file of `cell`, and check it.

    Raises:
        RunError: the file is damaged, or holds another cell or another number of outcomes.
    """
    head = read_head(path)
    if head.identity != cell.identity:
        raise damaged(path, f"it holds the cell {head.identity or 'without an identity'}, not the one its name says")
    if head.rows != cell.num_examples:
        raise damaged(path, f"it holds {head.rows} outcomes instead of {cell.num_examples}")
    return head


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A cell file's columns, its pages checked.

    Raises:
        RunError: it is damaged.
    """
    try:
        require_regular(path)
        # Not pq.read_table: its dataset layer costs more time than reading a small file.
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            # Threads read a large file faster, and a small one slower.
            is_large = file.metadata.num_rows > _ROWS_FOR_THREADS
            return file.read(columns=None if columns is None else list(columns), use_threads=is_large)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise damaged(path, reason_of(error)) from None


def read_stored(path: Path) -> dict[str, StoredOutcome]:
    """The outcomes in a cell file or a journal, by example, each with its share of the cost.

    Raises:
        RunError: a cell file is damaged. (A journal may end in the middle of a line: it is read up to there.)
    """
    if path.name.endswith(JOURNAL_SUFFIX):
        return read_journal(path)
    head = read_head(path)
    if head.identity != _identity_in_name(path):
        raise damaged(path, f"it holds the cell {head.identity or 'without an identity'}, not the one its name says")
    share = head.usage.part(1 / max(1, head.rows))
    return {outcome.example_id: StoredOutcome(outcome, share) for outcome in to_outcomes(read_table(path))}


def write_parquet(files: Iterable[tuple[Path, pa.Table]]) -> None:
    """Write cell files whole, with a checksum per page: all of them, or none if it fails."""
    with replacing_many(error=RunError) as temporary:
        for path, table in files:
            # zstd finds repeated values itself: without dictionaries files are smaller, and faster to write and read.
            pq.write_table(table, temporary(path), compression="zstd", use_dictionary=False, write_page_checksum=True)
