"""The runs that are open, each with its index, until it changes on disk."""

from __future__ import annotations

import time
from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from phraseproof.errors import RunError
from phraseproof.store.queries import load_run
from phraseproof.store.run_file import RUN_FILE
from phraseproof.viewer.index import RunIndex, index_run

_MOST_OPEN = 4
"""Indexes that are kept; one of a million outcomes takes some 40 MB."""

_CHECKED_FOR_S = 1.0
_SHARE_OF_TIME = 10
"""A run that grows is read again after this many times the seconds that reading took."""

_Key = tuple[str, str, str]


class _Open(NamedTuple):
    run: RunIndex
    state: tuple[int, ...]
    checked: float
    seconds: float
    read: float


class Library:
    """Opens runs, and keeps the last ones."""

    def __init__(self) -> None:
        self._open: OrderedDict[_Key, _Open] = OrderedDict()
        self._lock = Lock()
        self._waiting: dict[_Key, Lock] = {}

    def open(self, path: Path, scoring: str = "", metric: str = "") -> RunIndex:
        """The index of a run under a scorer and a metric; empty names mean its first.

        It is read again when the run changed on disk, but at most a tenth of the time.

        Raises:
            RunError: no run, a damaged one, or one without this scorer or metric.
        """
        key = (str(path), scoring, metric)
        with self._lock:
            waiting = self._waiting.setdefault(key, Lock())
        with waiting:  # of several requests for one run, the first one reads it
            known = self._open.get(key)
            now = time.monotonic()
            if known is not None and now - known.checked < _CHECKED_FOR_S:
                return self._used(key, known)
            state = state_of(path)
            if known is not None:
                is_early = now - known.read < _SHARE_OF_TIME * known.seconds
                if state == known.state or is_early:
                    return self._used(key, known._replace(checked=now))
            run = load_run(path).select(scoring or None, metric or None)
            index = index_run(run)
            ended = time.monotonic()
            return self._used(key, _Open(index, state, ended, ended - now, ended))

    def _used(self, key: _Key, opened: _Open) -> RunIndex:
        with self._lock:
            self._open[key] = opened
            self._open.move_to_end(key)
            while len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        return opened.run

    def clear(self) -> None:
        """Close all runs. A request that is being answered keeps its own."""
        with self._lock:
            self._open.clear()


def state_of(path: Path) -> tuple[int, ...]:
    """What changes when cells are added to a run: times of its file and of the folders of its cells.

    Raises:
        RunError: the run is gone.
    """
    try:
        found = (path / RUN_FILE).stat()
        tasks = [each for each in (path / "cells").glob("*") if each.is_dir()]
        folders = [*tasks, *(each for task in tasks for each in task.glob("*") if each.is_dir())]
        return (found.st_mtime_ns, found.st_size, found.st_ino, *sorted(each.stat().st_mtime_ns for each in folders))
    except OSError as error:
        raise RunError(f"the run is gone: {error.strerror or error}", where=path.name) from None
