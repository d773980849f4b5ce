"""Claims of processes on cells: several processes work on one run folder, and no cell is computed twice.

A process holds one lock (released by the operating system when it dies) and lists the cells that it computes in a file
next to it. So the number of open files does not depend on the number of cells. Lists are read and written under a lock
that is held for moments only.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Collection, Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, cast

from phraseproof.errors import RunError
from phraseproof.files import read_json
from phraseproof.store.locks import LockOptions, ProcessLock, Say
from phraseproof.store.processes import Process

LOCKS_FOLDER = ".locks"
_LIST_SUFFIX = ".cells.json"


class Holder(NamedTuple):
    """A process at work on some cells.

    Attributes:
        process: which one, and since when it computes them.
        identities: the cells' identities.
    """

    process: Process
    identities: frozenset[str]


class Claims:
    """The cells that this process computes in a run folder.

    Args:
        run: the run folder.
        options: how long other processes are waited for.
        say: receives for whom.
    """

    def __init__(self, run: Path, options: LockOptions, say: Say) -> None:
        self._folder = run / LOCKS_FOLDER
        self._options, self._say = options, say

    @contextmanager
    def hold(self, identities: Iterable[str]) -> Generator[set[str]]:
        """Claim those of the cells that no living process holds, for the length of the block.

        Raises:
            RunError: the folder cannot be written.
        """
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        lock = ProcessLock(self._folder / f"{name}.lock")
        with self._exclusively():
            taken = {identity for holder in self._living() for identity in holder.identities}
            mine = set(identities) - taken
            if mine:
                lock.acquire(self._options, self._say)  # its name is new: no other process waits for it
                self._write_list(name, mine)
        try:
            yield mine
        finally:
            if mine:
                with self._exclusively():
                    self._remove(name)
                    lock.release(remove=True)

    def holders(self, identities: Collection[str] | None = None) -> list[Holder]:
        """The living processes that compute any of these cells; all living processes if no cells are given."""
        wanted = None if identities is None else set(identities)
        with self._exclusively():
            living = self._living()
        return [holder for holder in living if wanted is None or not wanted.isdisjoint(holder.identities)]

    def _living(self) -> list[Holder]:
        """The other holders. The files of dead processes are removed."""
        found: list[Holder] = []
        for path in sorted(self._folder.glob(f"*{_LIST_SUFFIX}")):
            name = path.name.removesuffix(_LIST_SUFFIX)
            lock = ProcessLock(self._folder / f"{name}.lock")
            if not lock.try_acquire():
                found.append(_read_list(path))
                continue
            self._remove(name)
            lock.release(remove=True)
        return found

    def _write_list(self, name: str, identities: Collection[str]) -> None:
        path = self._folder / f"{name}{_LIST_SUFFIX}"
        content = {**Process.current().entry(), "identities": sorted(identities)}
        try:
            path.write_text(json.dumps(content), encoding="utf-8")
        except OSError as error:
            raise RunError(f"cannot be written: {error.strerror or error}", where=str(path)) from None

    def _remove(self, name: str) -> None:
        _unlink(self._folder / f"{name}{_LIST_SUFFIX}")

    @contextmanager
    def _exclusively(self) -> Generator[None]:
        lock = ProcessLock(self._folder / "claims.lock")
        lock.acquire(self._options, self._say)
        try:
            yield
        finally:
            lock.release()


def _read_list(path: Path) -> Holder:
    try:
        content = cast("dict[str, object]", read_json(path))
        return Holder(Process.of(content), frozenset(cast("list[str]", content["identities"])))
    except (OSError, ValueError, KeyError, TypeError):  # its process is still writing it, or it is not a list of ours
        return Holder(Process.unknown(), frozenset())


def _unlink(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
