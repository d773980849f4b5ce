"""Folders on their way between the command and its workers, in parts: trained models, adapters and checkpoints."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from phraseproof.errors import RunError
from phraseproof.files import publish
from phraseproof.store.training_record import RECORD_FILE
from phraseproof.training.checkpoint import STATE_FOLDER
from phraseproof.training.folder import LOCK_FILE

PART_BYTES: Final = 4 * 2**20
_INCOMING: Final = f"{STATE_FOLDER}/.incoming"
"""Where parts wait in the receiver's folder; a training that ends removes it with its checkpoints."""

_LAST: Final = (STATE_FOLDER, RECORD_FILE)
"""What is put in place after everything else: a checkpoint after the lines of the log that lead to it."""

_SHARE_OF_TIME: Final = 0.05
"""The largest share of a training's time that sending its checkpoints may take."""

_SECONDS_BETWEEN: Final = 10.0

Put = Callable[[bytes], object]
"""Leaves data where workers find it; returns what they find it by."""

Fetch = Callable[[object], bytes]
"""Returns the data that `Put` left."""


class SentFile(NamedTuple):
    """A file in parts.

    Attributes:
        name: its path in the folder, with slashes.
        parts: what `Put` returned.
    """

    name: str
    parts: tuple[object, ...]


class SentFolder(NamedTuple):
    """A folder of the command's machine.

    Attributes:
        path: where it is there.
        files: all of its files.
    """

    path: Path
    files: tuple[SentFile, ...]


def pack(folder: Path, put: Put) -> SentFolder:
    """Leave the files of a folder where workers find them.

    Raises:
        RunError: a file cannot be read.
    """
    files = [SentFile(name, tuple(put(part) for part in _parts(folder / name))) for name in _names(folder)]
    return SentFolder(folder, tuple(files))


def unpack(sent: SentFolder, folder: Path, fetch: Fetch) -> None:
    """Write the files of a folder into another one.

    Raises:
        OSError: they cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, parts in sent.files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            for part in parts:
                stream.write(fetch(part))


class FolderSender:
    """Sends what has changed in a folder since it was last sent.

    Args:
        folder: the folder, as it is known on the other side.
        send: receives the parts of files: the file's name, whether it is the first part, and the data.
    """

    def __init__(self, folder: Path, send: Callable[[str, bool, bytes], None]) -> None:
        self._folder, self._send = folder, send
        self._sent = self._state()
        self._began = self._last = time.monotonic()
        self._spent_s = 0.0

    def is_due(self) -> bool:
        """Whether there is a new checkpoint, and sending it would not take too large a share of the time."""
        now = time.monotonic()
        if now - self._last < _SECONDS_BETWEEN or self._spent_s > _SHARE_OF_TIME * (now - self._began):
            return False
        return any(name.startswith(f"{STATE_FOLDER}/") and name not in self._sent for name in self._state())

    def send(self) -> tuple[str, ...]:
        """Send what is new; returns the names of all files that the folder has now."""
        began = time.monotonic()
        state = self._state()
        for name, written in state.items():
            if self._sent.get(name) != written:
                for number, part in enumerate(_parts(self._folder / name)):
                    self._send(name, number == 0, part)
        self._sent = state
        self._last = time.monotonic()
        self._spent_s += self._last - began
        return tuple(state)

    def _state(self) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for name in _names(self._folder):
            stat = (self._folder / name).stat()
            found[name] = (stat.st_size, stat.st_mtime_ns)
        return found


class FolderReceiver:
    """Writes what a `FolderSender` sends. What came of an incomplete state is not used.

    Args:
        folder: the folder.

    Raises:
        RunError: from any method, if a file cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / _INCOMING
        self._known = set(_names(folder))
        self.forget()

    def take(self, name: str, data: bytes, *, is_first: bool) -> None:
        """Take a part of a file."""
        path = self._incoming / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb" if is_first else "ab") as stream:
                stream.write(data)
        except OSError as error:
            raise _cannot_write(path, error) from None

    def forget(self) -> None:
        """Remove what came of an incomplete state: its sender is lost."""
        shutil.rmtree(self._incoming, ignore_errors=True)

    def commit(self, names: Collection[str]) -> None:
        """Everything that is new has come: put it in place, and remove what the sender removed.

        Args:
            names: of all files that the sender has.
        """
        try:
            if self._incoming.exists():
                self._publish(self._incoming, self._folder)
            for name in self._known - set(names):
                (self._folder / name).unlink(missing_ok=True)
            self._known = set(names)
            self.forget()
            _remove_empty(self._folder / STATE_FOLDER)
        except OSError as error:
            raise _cannot_write(self._folder, error) from None

    def _publish(self, source: Path, target: Path) -> None:
        """A folder that is not there yet appears whole, as a checkpoint must."""
        last = [source / name for name in _LAST if (source / name).exists()]
        for path in (*sorted(set(source.iterdir()) - set(last)), *last):
            place = target / path.name
            if path.is_dir() and place.exists():
                self._publish(path, place)
            else:
                publish(path, place)


def _names(folder: Path) -> list[str]:
    """The names of the files of a folder that belong to its training, sorted."""
    if not folder.is_dir():
        return []
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if not name.startswith((LOCK_FILE, f"{_INCOMING}/")))


def _parts(path: Path) -> Iterator[bytes]:
    """The content of a file in parts; one empty part of an empty file."""
    try:
        with path.open("rb") as stream:
            data = stream.read(PART_BYTES)
            yield data
            while data := stream.read(PART_BYTES):
                yield data
    except OSError as error:
        raise RunError(f"cannot be read: {error.strerror or error}", where=str(path)) from None


def _remove_empty(folder: Path) -> None:
    """Remove a folder and those in it as far as they hold no file."""
    if not folder.is_dir():
        return
    below: Sequence[Path] = sorted(folder.rglob("*"), reverse=True)
    for path in (*below, folder):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _cannot_write(path: Path, error: OSError) -> RunError:
    return RunError(f"cannot be written: {error.strerror or error}", where=str(path))
