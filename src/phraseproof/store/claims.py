"""Claims of processes on cells: several processes work on one run folder, and no cell is computed twice.

A process holds one lock (released by the operating system when it dies) and lists the cells that it computes in a file
next to it. So the number of open files does not depend on the number of cells. Lists are read and written under a lock
that is held for moments only.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import shlex
import sys
import time
from collections.abc import Collection, Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

from filelock import FileLock, Timeout

from phraseproof.errors import RunError
from phraseproof.files import read_json

LOCKS_FOLDER = ".locks"
_LIST_SUFFIX = ".cells.json"
_MOST_CHARACTERS_OF_A_COMMAND = 200


class Holder(NamedTuple):
    """A process at work on some cells.

    Attributes:
        host, pid: where it runs, and its number there.
        since_s: when it claimed them, in seconds since 1970.
        identities: the cells' identities.
        command: its command line; empty if it is not known.
    """

    host: str
    pid: int
    since_s: float
    identities: frozenset[str]
    command: str = ""

    @property
    def is_stopped(self) -> bool:
        """Whether the process is paused (Ctrl-Z, SIGSTOP), where that can be seen: on this host, under Linux."""
        if self.host != platform.node():
            return False
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
        # The name before it may hold spaces and brackets: the state is what follows the last bracket.
        return state.rpartition(")")[2].split()[:1] in (["T"], ["t"])


def acquire(lock: FileLock, *, timeout_s: float) -> None:
    """Take a lock.

    Raises:
        Timeout: another process holds it.
        RunError: the lock file cannot be written.
    """
    try:
        lock.acquire(timeout=timeout_s)
    except Timeout:
        raise
    except OSError as error:
        raise RunError(f"cannot be written: {error.strerror or error}", where=str(lock.lock_file)) from None


class Claims:
    """The cells that this process computes in a run folder.

    Args:
        run: the run folder.
    """

    def __init__(self, run: Path) -> None:
        self._folder = run / LOCKS_FOLDER

    @contextmanager
    def hold(self, identities: Iterable[str]) -> Generator[set[str]]:
        """Claim those of the cells that no living process holds, for the length of the block.

        Raises:
            RunError: the folder cannot be written.
        """
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        lock = FileLock(self._folder / f"{name}.lock")
        with self._exclusively():
            taken = {identity for holder in self._living() for identity in holder.identities}
            mine = set(identities) - taken
            if mine:
                acquire(lock, timeout_s=0)
                self._write_list(name, mine)
        try:
            yield mine
        finally:
            if mine:
                with self._exclusively():
                    self._remove(name)
                    lock.release()
                    _unlink(self._folder / f"{name}.lock")

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
            lock = FileLock(self._folder / f"{name}.lock")
            try:
                acquire(lock, timeout_s=0)
            except Timeout:
                found.append(_read_list(path))
                continue
            self._remove(name)
            lock.release()
            _unlink(self._folder / f"{name}.lock")
        return found

    def _write_list(self, name: str, identities: Collection[str]) -> None:
        path = self._folder / f"{name}{_LIST_SUFFIX}"
        content = {
            "host": platform.node(),
            "pid": os.getpid(),
            "since_s": time.time(),
            "identities": sorted(identities),
            "command": shlex.join(sys.argv)[:_MOST_CHARACTERS_OF_A_COMMAND],
        }
        try:
            path.write_text(json.dumps(content), encoding="utf-8")
        except OSError as error:
            raise RunError(f"cannot be written: {error.strerror or error}", where=str(path)) from None

    def _remove(self, name: str) -> None:
        _unlink(self._folder / f"{name}{_LIST_SUFFIX}")

    @contextmanager
    def _exclusively(self) -> Generator[None]:
        lock = FileLock(self._folder / "claims.lock")
        acquire(lock, timeout_s=-1)
        try:
            yield
        finally:
            lock.release()


def _read_list(path: Path) -> Holder:
    try:
        content = cast("dict[str, Any]", read_json(path))
        return Holder(
            content["host"],
            content["pid"],
            content["since_s"],
            frozenset(content["identities"]),
            str(content.get("command", "")),
        )
    except (OSError, ValueError, KeyError, TypeError):  # its process is still writing it, or it is not a list of ours
        return Holder("unknown", 0, time.time(), frozenset())


def _unlink(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
