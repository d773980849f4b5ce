"""Checks stored cells before they are read, so that a damaged file is reported and never averaged."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from phraseproof.core import Cell
from phraseproof.errors import UsageError
from phraseproof.scoring.metric import Metric
from phraseproof.scoring.registry import metric
from phraseproof.store.cell_files import check_cell, damaged, read_table
from phraseproof.store.checksums import CHECKSUMS, require_checksum
from phraseproof.store.columns import column_values, is_present, list_lengths
from phraseproof.store.packs import CellPlace, pack_checksum
from phraseproof.store.run_file import RunContent

_NAMES = ("task", "category", "instruction", "group", "num_fewshot", "fewshot_seed")
_MAX_LOGPROB = 1e-3
"""Rounding may lift a log-probability slightly above 0."""

_SETTLED_S = 2.0
"""A file that was written this long ago has another time of change if it is written again."""


class _State(NamedTuple):
    """What changes when a file is written again or replaced."""

    device: int
    inode: int
    size: int
    changed_ns: int


class CheckedFiles:
    """The files that this process has checked, and that have not changed since: they are checked once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Path, Cell | None], _State] = {}

    def check(self, run: Path, cells: Mapping[CellPlace, Cell], content: RunContent) -> None:
        """Check the files of cells: by their checksum in `run.json` or in the name of a pack, or by the checksums of
        its pages, identity, number of rows, names and ranges.

        Args:
            run: the run folder.
            cells: the cell that each place is to hold.
            content: `run.json`.

        Raises:
            RunError: a file is damaged; it is named.
        """
        checksums: Mapping[str, int] = content.get(CHECKSUMS, {})
        packs: set[Path] = set()
        for place, cell in cells.items():
            path = place.path
            checksum = pack_checksum(path)
            if checksum is not None:
                if path not in packs:
                    packs.add(path)
                    self._once(path, None, partial(require_checksum, path, checksum))
                check_cell(place, cell)
                continue
            checksum = checksums.get(path.relative_to(run).as_posix())
            if checksum is not None:
                self._once(path, cell, partial(require_checksum, path, checksum))
            else:
                # A process was killed before it could write the checksum, or an older version wrote the file.
                self._once(path, cell, partial(check_contents, place, cell))

    def _once(self, path: Path, cell: Cell | None, check: Callable[[], None]) -> None:
        state = _state(path)
        if state is not None and self._known.get((path, cell)) == state:
            return
        check()
        if state is not None:
            self._known[path, cell] = state


def _state(path: Path) -> _State | None:
    """The state of a file; `None` if it is too new to be recognised by it, or missing."""
    try:
        found = path.stat()
    except OSError:
        return None
    if time.time() - max(found.st_mtime, found.st_ctime) < _SETTLED_S:
        return None
    return _State(found.st_dev, found.st_ino, found.st_size, max(found.st_mtime_ns, found.st_ctime_ns))


def check_contents(place: CellPlace, cell: Cell) -> None:
    """Check all of a stored cell: pages, identity, number of rows, names and ranges.

    Raises:
        RunError: it is damaged, or another cell.
    """
    check_cell(place, cell)
    _check_values(read_table(place), cell, place.path)


def _check_values(table: pa.Table, cell: Cell, path: Path) -> None:
    """Check that every row has the names of `cell`, and values that an evaluation writes.

    Args:
        table: all rows of a cell, with all their columns.
        cell: the cell.
        path: the file of the rows, for the error.

    Raises:
        RunError: they are of another cell, or damaged.
    """
    for name in _NAMES:
        if name not in table.column_names or not _is_constant(table[name], getattr(cell, name)):
            raise damaged(path, f"its rows name another {name} than run.json")
    try:
        judge = metric(cell.metric)
    except UsageError:  # of a package that is not installed here: its range is not known
        return
    try:
        is_wrong = _is_out_of_range(table, judge)
    except (KeyError, pa.ArrowException, ValueError, TypeError) as error:
        raise damaged(path, f"its columns are not those of outcomes ({error})") from None
    if is_wrong:
        raise damaged(path, "it holds values that no evaluation writes (score, choice or log-probability)")


def _is_constant(column: pa.ChunkedArray, value: str | int) -> bool:
    try:
        expected = _repeated(value, column.type, len(column))
    except (pa.ArrowException, TypeError, ValueError, OverflowError):  # a column of another type
        return False
    return column.equals(expected)


@lru_cache(2 * len(_NAMES))
def _repeated(value: str | int, kind: pa.DataType, count: int) -> pa.ChunkedArray:
    return pa.chunked_array([pa.repeat(pa.scalar(value, kind), count)])


def _is_out_of_range(table: pa.Table, judge: Metric) -> bool:
    """Whether a row holds values that no evaluation writes. Absent values are allowed, except for scores."""
    score = np.asarray(column_values(table["score"]), dtype=np.float64)
    chosen = np.asarray(column_values(table["predicted"]), dtype=np.float64)
    options, logprobs = list_lengths(table["options"]), list_lengths(table["option_logprobs"])
    with np.errstate(invalid="ignore"):  # NaN where a value is absent: it equals nothing
        if not (np.isfinite(score) & (score >= judge.low) & (score <= judge.high)).all():
            return True
        if ((chosen < 0) | (chosen >= options)).any():
            return True
        differs = (logprobs != options) & ~np.isnan(logprobs + options)
        if (differs & ~((logprobs == 0) & is_present(table["text"]))).any():
            return True
        values = table["option_logprobs"].combine_chunks().flatten()
        is_high = ~(np.asarray(column_values(values), dtype=np.float64) <= _MAX_LOGPROB)
    return bool((is_high & is_present(values)).any())
