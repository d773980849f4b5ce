"""Reads runs in object storage: their files are brought to this machine, each checked, and only those that are missing.

What a reader sees is one manifest: a run as it was at one moment.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from phraseproof.errors import RunError
from phraseproof.files import files_below
from phraseproof.store.locks import PATIENT, ProcessLock
from phraseproof.store.remote.manifest import FOLDER, Manifest, newest_manifest
from phraseproof.store.remote.object_store import ObjectStore
from phraseproof.store.remote.places import LocalPlace, reading_place
from phraseproof.store.remote.read_copies import copy_for, prune, start_reading
from phraseproof.store.remote.segments import fetch_files, is_same

_RUN_FILE = "run.json"
_TRIALS = 4
_AT_ONCE = 8
"""Segments that are downloaded together."""

Accept = Callable[[str, Path], None]
"""Receives a file's path in the run folder, and its checked content, which it moves or reads."""


def fetch_run(url: str) -> Path | None:
    """Bring the local copy of a run up to date; `None` where there is no run at the URL.

    Raises:
        RunError: it cannot be read, or an object of it is damaged or missing.
        UsageError: the limit of what copies may take is not a number.
    """
    store = ObjectStore(url)
    place = reading_place(url)
    lock = ProcessLock(place.lock)
    lock.acquire(PATIENT, lambda _: None)
    try:
        copy = _refreshed(store, place)
        if copy is not None:
            prune(place)
        return copy
    finally:
        lock.release()


def find_runs(url: str) -> Iterator[str]:
    """The URLs of the runs at a URL or below it, sorted: a request for each folder on the way."""
    store = ObjectStore(url)
    left = [""]
    while left:
        folder = left.pop()
        below = store.folders(folder)
        if FOLDER in below:
            yield f"{url}/{folder}" if folder else url
        else:
            left += [f"{folder}/{name}" if folder else name for name in reversed(below)]


def bring(store: ObjectStore, manifest: Manifest, paths: Collection[str], temporary: Path, accept: Accept) -> None:
    """Download files of a run; `run.json` comes last.

    Args:
        store: the run's objects.
        manifest: the moment of the run.
        paths: the files.
        temporary: a folder for what is on its way.
        accept: receives each; calls come from several threads.

    Raises:
        RunError: an object is damaged.
        FileNotFoundError: one is gone, because the run has changed or because it was removed.
    """

    def fetch(name: str) -> None:
        wanted = {path: manifest.files[path] for path in sorted(of_segment[name], key=_RUN_FILE.__eq__)}
        for path, content in fetch_files(store, name, manifest.segments[name], wanted, temporary):
            accept(path, content)

    of_segment: dict[str, list[str]] = {}
    for path in paths:
        of_segment.setdefault(manifest.files[path].segment, []).append(path)
    last = [name for name, held in of_segment.items() if _RUN_FILE in held]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(fetch, [name for name in of_segment if name not in last]):
            pass  # raises the first error
    for name in last:
        fetch(name)


def missing_objects(store: ObjectStore, error: FileNotFoundError) -> RunError:
    """The error of a run whose manifest names objects that are gone."""
    return RunError(
        "an object of the run is missing in the store",
        where=store.url,
        got=str(error.filename or error) or None,
        hint="Restore it, or remove the run there and evaluate again",
    )


def _refreshed(store: ObjectStore, place: LocalPlace) -> Path | None:
    """A copy of the newest manifest, which stays as it is while this process runs; `None` where there is no run."""
    before: Manifest | None = None
    for _ in range(_TRIALS):
        manifest = newest_manifest(store)
        if manifest is None:
            return None
        copy = copy_for(place, manifest)
        lacking = [path for path, file in manifest.files.items() if not is_same(copy.copy / path, file)]
        try:
            bring(store, manifest, lacking, copy.temporary(), partial(_move, copy.copy))
        except FileNotFoundError as error:
            if before is not None and manifest.number == before.number:
                raise missing_objects(store, error) from None
            before = manifest
            continue
        _remove_others(copy.copy, manifest)
        start_reading(place, copy, manifest)
        return copy.copy
    raise RunError("it changes faster than it can be read", where=store.url, hint="Run the command again")


def _move(folder: Path, path: str, content: Path) -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    content.replace(target)


def _remove_others(folder: Path, manifest: Manifest) -> None:
    """Remove cells and other files of the run that it no longer has. What readers keep in other places stays."""
    if not manifest.files:
        shutil.rmtree(folder)
        folder.mkdir()
        return
    for top in ("cells", "journal", "failures"):
        for path in files_below(folder / top):
            if path.relative_to(folder).as_posix() not in manifest.files:
                path.unlink(missing_ok=True)
