"""Writes a run in object storage: a folder of this machine that is uploaded while work is done.

One command at a time writes a run. It says so in each manifest; another command that finds a writer at work waits to
see whether new manifests come, so no clocks are compared. A command that was overtaken fails at its next manifest,
whose number is taken.
"""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from phraseproof.errors import RunError
from phraseproof.files import read_json, write_json
from phraseproof.store.locks import PATIENT, LockOptions, ProcessLock, Say
from phraseproof.store.processes import Process
from phraseproof.store.remote.manifest import Manifest, RemoteWriter, manifest_numbers, newest_manifest
from phraseproof.store.remote.mirror import bring, missing_objects
from phraseproof.store.remote.object_store import ObjectStore
from phraseproof.store.remote.places import LocalPlace, writing_place
from phraseproof.store.remote.segments import is_same
from phraseproof.store.remote.uploads import LostRunError, Uploads, listed_files

SECONDS_BETWEEN_UPLOADS: Final = 30.0
_SILENT_INTERVALS: Final = 3
"""A writer without a new manifest for this number of its intervals is taken for dead."""

_HISTORY = "history.json"
"""Next to the copy: the run, and the commands whose manifests this very copy wrote or contains."""


@dataclass
class WorkingCopy:
    """A run folder of this machine whose content is uploaded from time to time, and at the end.

    Attributes:
        folder: the run folder.
        uploads: of this command.
        say: receives warnings.
        every_s: how often what is new is uploaded, in seconds.
    """

    folder: Path
    uploads: Uploads
    say: Say
    every_s: float = SECONDS_BETWEEN_UPLOADS
    _stop: threading.Event = field(default_factory=threading.Event)
    _lost: LostRunError | None = None

    def require_ours(self) -> None:
        """Raise a `RunError` if another process has taken the run over."""
        if self._lost is not None:
            raise self._lost

    def keep_uploading(self) -> None:
        """Upload until `stop`; errors are warnings, because the next trial may succeed."""
        is_warned = False
        while not self._stop.wait(self.every_s):
            try:
                self.uploads.push()
                is_warned = False
            except LostRunError as error:
                self._lost = error
                return
            except (RunError, OSError) as error:
                if not is_warned:
                    self.say(f"{error}. The work continues; uploads are tried again every {self.every_s:g} s")
                is_warned = True

    def stop(self) -> None:
        """End `keep_uploading` after the upload that it is at."""
        self._stop.set()


@contextmanager
def working_copy(
    url: str, say: Say, *, locking: LockOptions = PATIENT, every_s: float = SECONDS_BETWEEN_UPLOADS
) -> Generator[WorkingCopy]:
    """Write a run at a URL: what is there is brought to this machine first, and what is new uploaded.

    Args:
        url: of the run; there may be none yet.
        say: receives warnings.
        locking: `timeout_s` is how long another writer is waited for, by default not at all; `breaks` takes the run
            over at once.
        every_s: how often what is new is uploaded, in seconds.

    Raises:
        RunError: another process writes the run, the store cannot be used, or the last upload failed; the folder of
            this machine then keeps what was computed.
    """
    store = ObjectStore(url)
    place = writing_place(url)
    with _only_here(place, url, locking, say):
        manifest = _taken(store, say, locking)
        token = secrets.token_hex(8)
        manifest = _prepared(store, place, manifest, token, say)
        process = {**Process.current().entry(), "command": ""}
        writer = RemoteWriter(token=token, at_work=True, every_s=every_s, process=process)
        uploads = Uploads(store, place.copy, manifest, place.temporary(), writer)
        uploads.begin()
        is_alone = store.creates_new and not _overwrites(store, uploads.manifest)
        if not is_alone:
            say(f"{url}: this store does not refuse a second writer. Do not start two commands on this run")
        copy = WorkingCopy(place.copy, uploads, say, every_s)
        thread = threading.Thread(target=copy.keep_uploading, name="phraseproof uploads", daemon=True)
        thread.start()
        try:
            yield copy
        except BaseException:
            copy.stop()
            thread.join()
            copy.require_ours()
            try:
                uploads.finish(is_alone=is_alone)
            except RunError as error:
                say(f"{error}. {_kept(place)}")
            raise
        copy.stop()
        thread.join()
        copy.require_ours()
        try:
            uploads.finish(is_alone=is_alone)
        except LostRunError:
            raise
        except RunError as error:
            raise RunError(f"the upload failed: {error}", hint=_kept(place)) from None


def _overwrites(store: ObjectStore, manifest: Manifest) -> bool:
    """Whether the store lets an object be created that exists. Some servers ignore the condition."""
    return store.create(manifest.name, manifest.to_bytes() + b"\n")  # the same manifest, should it be replaced


def _kept(place: LocalPlace) -> str:
    return f"Everything is kept in {place.copy}; the same command on this machine uploads it"


@contextmanager
def _only_here(place: LocalPlace, url: str, locking: LockOptions, say: Say) -> Generator[None]:
    """Keep other processes of this machine out."""
    lock = ProcessLock(place.lock)
    if locking.timeout_s is not None:
        lock.acquire(locking, say)
    elif not lock.try_acquire():
        raise _busy(url, lock.holder() or Process.unknown())
    try:
        yield
    finally:
        lock.release()


def _taken(store: ObjectStore, say: Say, locking: LockOptions) -> Manifest | None:
    """The newest manifest, of a writer that has ended."""
    manifest = newest_manifest(store)
    began_s, is_said = time.monotonic(), False
    while manifest is not None and manifest.writer.at_work and not (locking.breaks or manifest.writer.who.is_gone):
        silence_s = _SILENT_INTERVALS * manifest.writer.every_s
        if not is_said:
            say(
                f"{store.url}: {manifest.writer.who.name} did not say that it has ended; waiting {silence_s:.0f} s for "
                "a sign of life. --break-lock takes the run over at once"
            )
            is_said = True
        if not _has_moved(store, manifest.number, silence_s):
            break
        if time.monotonic() - began_s >= (locking.timeout_s or 0):
            raise _busy(store.url, manifest.writer.who)
        manifest = newest_manifest(store)
    return manifest


def _has_moved(store: ObjectStore, number: int, silence_s: float) -> bool:
    """Whether there is a newer manifest within a time."""
    until_s = time.monotonic() + silence_s
    while time.monotonic() < until_s:
        time.sleep(min(silence_s / 20, 5.0))
        if (manifest_numbers(store) or [0])[-1] != number:
            return True
    return False


def _busy(url: str, holder: Process) -> RunError:
    return RunError(
        f"{holder.name} writes this run",
        where=url,
        hint="Wait until it has ended (--lock-timeout SECONDS waits), or evaluate to another URL",
    )


def _prepared(store: ObjectStore, place: LocalPlace, manifest: Manifest | None, token: str, say: Say) -> Manifest:
    """Bring the copy to what the store holds; what it holds in addition stays.

    Returns:
        The manifest to continue from.
    """
    run, known = _history(place)
    is_other = run is not None and (manifest is None or manifest.run != run)
    if is_other and listed_files(place.copy):
        aside = place.home / f"replaced-{secrets.token_hex(4)}"
        place.copy.replace(aside)
        place.copy.mkdir()
        say(f"{store.url}: not the run any more that this machine worked on, whose files are kept in {aside}")
    if manifest is None:
        nothing = RemoteWriter(token=token, at_work=False, every_s=0.0, process={})
        manifest, known = Manifest(run=secrets.token_hex(8), number=0, writer=nothing), []
    elif is_other or manifest.writer.token not in known:
        _merge(store, place, manifest, is_ahead=False, say=say)
        known = [manifest.writer.token]
    else:
        _merge(store, place, manifest, is_ahead=True, say=say)
    write_json(place.home / _HISTORY, {"run": manifest.run, "commands": [*known[-3:], token]}, error=RunError)
    return manifest


def _history(place: LocalPlace) -> tuple[str | None, list[str]]:
    """The run that the copy is of, and the commands that it contains; `None` where it was never uploaded."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        content = cast("dict[str, object]", read_json(place.home / _HISTORY))
        return str(content["run"]), [str(each) for each in cast("list[object]", content["commands"])]
    return None, []


def _merge(store: ObjectStore, place: LocalPlace, manifest: Manifest, *, is_ahead: bool, say: Say) -> None:
    """Bring files of the store to the copy.

    Files that only the copy has stay: cells and journals hold outcomes that were not uploaded. Of files that differ,
    the store's replaces the copy's unless the copy is ahead; journals are joined, and databases of answers kept aside.
    """
    wanted = [
        path
        for path, file in manifest.files.items()
        if not (is_ahead and (place.copy / path).exists()) and not is_same(place.copy / path, file)
    ]

    def take(path: str, content: Path) -> None:
        target = place.copy / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.startswith("journal/") and target.exists():
            theirs, ours = content.read_bytes(), target.read_bytes()
            joined = ours if ours.startswith(theirs) else theirs + b"\n" + ours
            content.write_bytes(joined)
        elif target.suffix == ".sqlite" and target.exists():
            aside = place.home / f"replaced-{secrets.token_hex(4)}{target.suffix}"
            target.replace(aside)
            say(
                f"{store.url}: another machine has continued this run, and its answers are used. Answers that only "
                f"this machine had are requested again; they are kept in {aside}"
            )
        content.replace(target)

    try:
        bring(store, manifest, wanted, place.temporary(), take)
    except FileNotFoundError as error:
        raise missing_objects(store, error) from None
    finally:
        shutil.rmtree(place.temporary(), ignore_errors=True)
        place.temporary()
