"""The local copies of runs that commands read: none changes while a process reads it, and together they are bounded.

A process that reads a copy holds a lock file next to it. Where the run has changed and others read the copy, the newer
state goes to a second one.
"""

from __future__ import annotations

import math
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

from phraseproof.errors import RunError, UsageError
from phraseproof.files import read_json, write_json
from phraseproof.store.locks import ProcessLock
from phraseproof.store.remote.manifest import Manifest
from phraseproof.store.remote.places import READING, LocalPlace
from phraseproof.store.urls import URL_FILE

LIMIT: Final = "PHRASEPROOF_CACHE_GB"
"""The environment variable that says how many gigabytes the copies of all runs may take."""

MOST_GB: Final = 20.0
"""What they may take by default."""

_MARK = ".copy.json"
"""Which manifest a copy is of, and how many bytes its files have."""

_READERS = ".readers"
_OTHERS = "other-"
_HELD_PER_RUN = 2
"""How many states of a run a process keeps from changing: a viewer may see thousands."""

_held: dict[Path, list[tuple[Path, ProcessLock]]] = {}
"""By the folder of a URL, the copies that this process reads, the latest last."""


def copy_for(place: LocalPlace, manifest: Manifest) -> LocalPlace:
    """The copy to bring to a manifest: the one that is of it, else one that no process reads, else a new one.

    Args:
        place: of the run's URL; its lock is held.
        manifest: the newest one.
    """
    known = list(_copies(place.home, place.copy.name))
    for each in known:
        mark = _mark(each)
        if (mark.get("run"), mark.get("number")) == (manifest.run, manifest.number):
            return each
    for each in known:
        if not _is_read(each):
            (each.home / _MARK).unlink(missing_ok=True)
            return each
    home = place.home / f"{_OTHERS}{secrets.token_hex(4)}"
    new = LocalPlace(home, home / place.copy.name)
    shutil.copytree(place.copy, new.copy, copy_function=_link_or_copy)
    shutil.copy2(place.home / URL_FILE, home / URL_FILE)
    return new


def start_reading(place: LocalPlace, copy: LocalPlace, manifest: Manifest) -> None:
    """Note that a copy has all files of a manifest, and keep it from changing while this process runs.

    Other copies of the run that no process reads are removed.

    Args:
        place: of the run's URL; its lock is held.
        copy: as `copy_for` returned it.
        manifest: that it is of.
    """
    size = sum(file.size for file in manifest.files.values())
    write_json(copy.home / _MARK, {"run": manifest.run, "number": manifest.number, "bytes": size}, error=RunError)
    os.utime(place.home / URL_FILE)
    _is_read(copy)  # removes what readers that have ended left
    held = _held.setdefault(place.home, [])
    if all(home != copy.home for home, _ in held):
        lock = ProcessLock(_readers(copy) / f"{os.getpid()}-{secrets.token_hex(4)}.lock")
        if lock.try_acquire():
            held.append((copy.home, lock))
    while len(held) > _HELD_PER_RUN:
        held.pop(0)[1].release(remove=True)
    for each in _copies(place.home, place.copy.name):
        if each.home not in {place.home, copy.home} and not _is_read(each):
            shutil.rmtree(each.home, ignore_errors=True)


def prune(place: LocalPlace) -> None:
    """Remove copies of other runs, those first that were not read for longest, until all fit the limit.

    Copies that a process reads stay, and so does what commands that write keep.

    Raises:
        UsageError: the limit is not a number.
    """
    most = _most_bytes()
    taken = 0
    homes = [home for home in place.home.parent.glob(f"*-{READING}") if (home / URL_FILE).exists()]
    for home in sorted(homes, key=_last_read, reverse=True):
        taken += sum(_size(each) for each in _copies(home))
        if taken > most and home != place.home:
            taken -= _remove(home)


def _most_bytes() -> int:
    given = os.environ.get(LIMIT, "")
    try:
        most = float(given or MOST_GB)
    except ValueError:
        most = math.nan
    if not (math.isfinite(most) and most >= 0):
        raise UsageError("not a size", expected=f"gigabytes, such as {MOST_GB:g}", got=given, where=LIMIT)
    return int(1e9 * most)


def _remove(home: Path) -> int:
    """Remove the copies of a run that no process reads; how many bytes that were."""
    lock = ProcessLock(home / LocalPlace(home, home).lock.name)
    removed = 0
    with suppress(RunError, OSError):
        if not lock.try_acquire():
            return 0
        try:
            for each in _copies(home):
                if not _is_read(each):
                    removed += _size(each)
                    (each.home / _MARK).unlink(missing_ok=True)
                    shutil.rmtree(each.copy if each.home == home else each.home, ignore_errors=True)
        finally:
            lock.release()
    return removed


def _copies(home: Path, name: str = "") -> Iterator[LocalPlace]:
    """The copies of a run: the first one, and others that were made while it was read."""
    for folder in (home, *sorted(home.glob(f"{_OTHERS}*"))):
        named = name or next(
            (path.name for path in folder.glob("[!.]*") if path.is_dir() and not path.name.startswith(_OTHERS)), ""
        )
        if named:
            yield LocalPlace(folder, folder / named)


def _is_read(copy: LocalPlace) -> bool:
    """Whether a process reads a copy. The lock files of processes that have ended are removed."""
    found = False
    for path in _readers(copy).glob("*.lock"):
        lock = ProcessLock(path)
        if lock.try_acquire():
            lock.release(remove=True)
        else:
            found = True
    return found


def _readers(copy: LocalPlace) -> Path:
    folder = copy.home / _READERS
    folder.mkdir(exist_ok=True)
    return folder


def _mark(copy: LocalPlace) -> Mapping[str, object]:
    """What is noted of a complete copy: the `run` and the `number` of its manifest, and its `bytes`; else nothing."""
    with suppress(OSError, ValueError):
        content = read_json(copy.home / _MARK)
        if isinstance(content, dict):
            return cast("dict[str, object]", content)
    return {}


def _size(copy: LocalPlace) -> int:
    size = _mark(copy).get("bytes")
    return size if isinstance(size, int) else 0


def _last_read(home: Path) -> float:
    with suppress(OSError):
        return (home / URL_FILE).stat().st_mtime
    return 0.0


def _link_or_copy(source: str, target: str) -> None:
    """A second name for a cell's file, which is replaced but never changed; a copy of other files."""
    if source.endswith(".parquet"):
        with suppress(OSError):
            os.link(source, target)
            return
    shutil.copy2(source, target)
