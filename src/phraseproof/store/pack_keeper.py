"""Compacts a run folder and repairs its packs, one process at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pyarrow as pa

from phraseproof.errors import RunError
from phraseproof.store.cell_files import slug
from phraseproof.store.checksums import CHECKSUMS
from phraseproof.store.claims import LOCKS_FOLDER
from phraseproof.store.compaction import ENOUGH_FILES, Compacted, compact, pack_damage, set_aside, whole_files
from phraseproof.store.locks import ProcessLock
from phraseproof.store.packs import packs_of
from phraseproof.store.run_file import mark_packs, read_run_file

_PACKS = "packs"
_LOOKS_AFTER = 2 * ENOUGH_FILES
"""After this number of written cells, a process looks for tasks to compact."""

Exclusive = Callable[[str], AbstractContextManager[None]]
"""Keeps other processes out of blocks of the same name."""


class PackKeeper:
    """The packs of a run folder, for the process that writes it.

    Args:
        run: the run folder.
        one_at_a_time: of the folder. Files of cells are removed in blocks with the name `run`.
        checksums: of the files that this process wrote, by their paths in the folder.

    Attributes:
        whole: packs whose checksum this process compared.
    """

    def __init__(self, run: Path, one_at_a_time: Exclusive, checksums: Mapping[str, int]) -> None:
        self._run, self._one_at_a_time, self._checksums = run, one_at_a_time, checksums
        self._written = 0
        self._is_marked = False
        self.whole: set[Path] = set()

    def compact(self, *, least: int = 1) -> Compacted:
        """Move the files of complete cells into packs; waits for other processes that do.

        Args:
            least: tasks with fewer files of single cells are left as they are.

        Raises:
            RunError: a pack cannot be written, or the wait was too long.
        """
        with self._one_at_a_time(_PACKS):
            return self._compact(least)

    def wrote(self, count: int) -> None:
        """Count written cells. Where they are many, compact tasks with many files."""
        self._written += count
        if self._written >= _LOOKS_AFTER:
            self.compact_if_many()

    def compact_if_many(self) -> None:
        """Compact tasks with many files, unless another process compacts the folder or a pack cannot be written."""
        self._written = 0
        lock = ProcessLock(self._run / LOCKS_FOLDER / f"{_PACKS}.lock")
        if lock.try_acquire():
            try:
                with suppress(RunError):  # such as a full disk: the files stay, and a run can end without packs
                    self._compact(ENOUGH_FILES)
            finally:
                lock.release()

    def _compact(self, least: int) -> Compacted:
        known: Mapping[str, int] = read_run_file(self._run).get(CHECKSUMS, {})
        return compact(self._run, {**known, **self._checksums}, self._removal, least=least)

    @contextmanager
    def _removal(self) -> Generator[None]:
        with self._one_at_a_time("run"):
            if not self._is_marked:
                mark_packs(self._run)
                self._is_marked = True
            yield

    def repair(self, tasks: Iterable[str], write: Callable[[Sequence[tuple[Path, pa.Table]]], None]) -> list[RunError]:
        """Take the cells that are whole out of damaged packs, which are set aside.

        Args:
            tasks: whose packs are checked, each once.
            write: writes files of cells.

        Returns:
            What is wrong with the damaged packs.
        """
        errors: list[RunError] = []
        for folder in sorted({self._run / "cells" / slug(task) for task in tasks}):
            for pack in packs_of(folder):
                error = None if pack in self.whole else pack_damage(pack)
                if error is None:
                    self.whole.add(pack)
                    continue
                with self._one_at_a_time(_PACKS):
                    if pack.exists():
                        write(whole_files(pack, folder))
                        set_aside(pack)
                        errors.append(error)
        return errors
