"""Outcomes of an import in a temporary file: however many there are, some thousands of them are in memory at a time."""

from __future__ import annotations

import pickle
import tempfile
import weakref
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import fields
from operator import attrgetter
from typing import IO

from phraseproof.core import Outcome
from phraseproof.errors import FileError

_MOST = 20_000
"""Outcomes of all cells together that wait in memory."""

_LEVEL = 1
"""Of zlib: rows of one cell resemble each other, so that the fastest compression saves most."""

_values = attrgetter(*(field.name for field in fields(Outcome)))


class OutcomeSpool:
    """Takes the outcomes of any number of cells, in any order.

    Args:
        most: outcomes that wait in memory before they are written.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._opened: IO[bytes] | None = None
        self._waiting: dict[SpooledOutcomes, None] = {}
        self._count = 0

    def cell(self, outcomes: Iterable[Outcome] = ()) -> SpooledOutcomes:
        """The outcomes of a further cell."""
        found = SpooledOutcomes(self)
        for outcome in outcomes:
            found.append(outcome)
        return found

    def added(self, cell: SpooledOutcomes) -> None:
        """Take note of an outcome that waits, and write all that wait if there are many.

        Raises:
            FileError: the temporary file cannot be written.
        """
        self._waiting[cell] = None
        self._count += 1
        if self._count >= self._most:
            for each in self._waiting:
                each.write_waiting()
            self._waiting.clear()
            self._count = 0

    def write(self, outcomes: Iterable[Outcome]) -> tuple[int, int]:
        """Write outcomes; returns where they are: the first byte, and the number of bytes."""
        block = zlib.compress(pickle.dumps(list(map(_values, outcomes)), pickle.HIGHEST_PROTOCOL), _LEVEL)
        try:
            file = self._file()
            start = file.seek(0, 2)
            left = memoryview(block)
            while left:
                left = left[file.write(left) :]
        except OSError as error:
            raise FileError(
                f"outcomes cannot be kept in a temporary file: {error.strerror or error}",
                where=tempfile.gettempdir(),
                hint="TMPDIR names another folder",
            ) from None
        return start, len(block)

    def read(self, start: int, size: int) -> list[Outcome]:
        """The outcomes that `write` put there."""
        file = self._file()
        file.seek(start)
        return [Outcome(*values) for values in pickle.loads(zlib.decompress(file.read(size)))]  # noqa: S301

    def _file(self) -> IO[bytes]:
        """The file, which lasts as long as one of the cells."""
        if self._opened is None:
            # Without a buffer, a full disk is an error of the write and never of a later read or of the end.
            self._opened = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
            weakref.finalize(self, self._opened.close)
        return self._opened


class SpooledOutcomes(Collection[Outcome]):
    """The outcomes of one cell, in the order in which they were appended. Made by `OutcomeSpool.cell`."""

    def __init__(self, spool: OutcomeSpool) -> None:
        self._spool = spool
        self._blocks: list[tuple[int, int]] = []
        self._waiting: list[Outcome] = []
        self._length = 0

    def append(self, outcome: Outcome) -> None:
        """Add an outcome."""
        self._waiting.append(outcome)
        self._length += 1
        self._spool.added(self)

    def write_waiting(self) -> None:
        """Write what is in memory."""
        self._blocks.append(self._spool.write(self._waiting))
        self._waiting = []

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Outcome]:
        for start, size in self._blocks:
            yield from self._spool.read(start, size)
        yield from self._waiting

    def __contains__(self, outcome: object) -> bool:
        return any(each == outcome for each in self)


class MappedOutcomes(Collection[Outcome]):
    """Outcomes that are changed when they are read.

    Args:
        outcomes: as they were.
        change: makes one of them what it is.
    """

    def __init__(self, outcomes: Collection[Outcome], change: Callable[[Outcome], Outcome]) -> None:
        self._outcomes, self._change = outcomes, change

    def __len__(self) -> int:
        return len(self._outcomes)

    def __iter__(self) -> Iterator[Outcome]:
        return map(self._change, self._outcomes)

    def __contains__(self, outcome: object) -> bool:
        return any(each == outcome for each in self)
