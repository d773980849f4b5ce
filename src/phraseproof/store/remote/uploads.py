"""Uploads what changed in a run folder: new files as segments, then a manifest that names them.

A kill between the two leaves segments that no manifest names; the run is as it was. Objects are removed when neither
the newest manifest nor the one before it names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from phraseproof.errors import RunError
from phraseproof.files import files_below
from phraseproof.store.remote.manifest import Manifest, RemoteWriter, StoredFile, manifest_name, manifest_numbers
from phraseproof.store.remote.object_store import ObjectStore
from phraseproof.store.remote.segments import FOLDER, is_same, segment_name, write_segments

_SMALL_BYTES = 4 << 20
_MOST_SMALL = 8
_LARGEST_DEAD_SHARE = 0.5

_SIDE_FILES = (".sqlite-journal", ".sqlite-wal", ".sqlite-shm", ".tmp")
"""What has no meaning without the file next to it, of which a whole copy is uploaded."""

_TOPS = ("journal", "failures", "", "cells", "packed", "run.json")
"""Kinds of files, in the order in which content moves: by their folder, or everything else, or cells in packs."""


class LostRunError(RunError):
    """Another process writes the run now."""


class Uploads:
    """The uploads of one command.

    Args:
        store: the run's objects.
        folder: the run folder.
        manifest: the newest one.
        temporary: a folder for segments on their way.
        writer: this command.

    Attributes:
        manifest: the newest one.
    """

    def __init__(
        self, store: ObjectStore, folder: Path, manifest: Manifest, temporary: Path, writer: RemoteWriter
    ) -> None:
        self._store, self._folder, self._temporary, self._writer = store, folder, temporary, writer
        self.manifest = manifest
        self._sizes: dict[str, int] = {}
        self._before: set[str] = set()
        self._last_states: Mapping[str, object] = manifest.files
        self._seen: dict[str, tuple[_State, StoredFile]] = {}
        self._older = [number for number in manifest_numbers(store) if number < manifest.number]

    def begin(self) -> None:
        """Say that this command writes the run.

        Raises:
            LostRunError: another one did so first.
        """
        self._commit(self.manifest.files, at_work=True)

    def push(self) -> None:
        """Upload what changed since the last time. A manifest is written in any case, as a sign of life.

        Raises:
            LostRunError: another process has taken the run over.
            RunError: the store cannot be written.
        """
        self._push(again=())

    def finish(self, *, is_alone: bool) -> None:
        """Upload what changed, put small segments together, and say that the work has ended.

        Args:
            is_alone: no other process can be at work, so segments that no manifest names are removed.

        Raises:
            LostRunError, RunError: as `push`.
        """
        self._last_states = {}  # nothing moves any more
        self._push(again=self._scattered())
        if not self.manifest.files:  # wrong input ended the command before it wrote anything
            self._store.remove([manifest_name(number) for number in manifest_numbers(self._store)])
            return
        self._commit(self.manifest.files, at_work=False)
        if is_alone:
            known = self._before | self.manifest.segments.keys()
            names = [name.removesuffix(".zip") for name in self._store.names(FOLDER)]
            self._store.remove([segment_name(name) for name in names if name not in known])

    def _push(self, again: Iterable[str]) -> None:
        states = {
            path: state for path in listed_files(self._folder) if (state := _state(self._folder / path)) is not None
        }
        repeated = set(again)
        new = [path for path, state in states.items() if path in repeated or not self._is_stored(path, state)]
        files = self._upload(new, states)
        # A file that is gone has moved into another one, which may be too new to be listed: it stays one time longer.
        kept = {path: file for path, file in self.manifest.files.items() if path in states or path in self._last_states}
        self._last_states = states
        self._commit({**kept, **files}, at_work=True)

    def _is_stored(self, path: str, state: _State) -> bool:
        """Whether the manifest holds the content that the file has now."""
        known = self.manifest.files.get(path)
        if known is None:
            return False
        seen = self._seen.get(path)
        if seen is None and is_same(self._folder / path, known):
            self._seen[path] = seen = (state, known)
        return seen is not None and seen[0] == state and seen[1].crc32 == known.crc32

    def _upload(self, paths: Iterable[str], states: Mapping[str, _State]) -> dict[str, StoredFile]:
        files: dict[str, StoredFile] = {}
        try:
            for segment in write_segments(self._folder, paths, self._temporary):
                try:
                    self._store.upload(segment.path, segment_name(segment.name))
                finally:
                    segment.path.unlink(missing_ok=True)
                self._sizes[segment.name] = segment.size
                files |= segment.files
                self._seen |= {path: (states[path], file) for path, file in segment.files.items()}
        except OSError as error:  # such as a full disk; those of the store are errors of a run already
            raise RunError(f"cannot be written: {error.strerror or error}", where=str(self._temporary)) from None
        return files

    def _commit(self, files: Mapping[str, StoredFile], *, at_work: bool) -> None:
        writer = self._writer.model_copy(update={"at_work": at_work})
        while True:
            last = self.manifest
            sizes = {**last.segments, **self._sizes}
            segments = {name: sizes[name] for name in dict.fromkeys(file.segment for file in files.values())}
            new = Manifest(run=last.run, number=last.number + 1, writer=writer, segments=segments, files=files)
            if self._store.create(new.name, new.to_bytes()):
                break
            self._require_own(new.name)
        dead = self._before - last.segments.keys() - new.segments.keys()
        names = [*map(manifest_name, self._older), *map(segment_name, sorted(dead))]
        self._older = [last.number] if last.number else []
        self._before = set(last.segments)
        self.manifest, self._sizes = new, {}
        with suppress(RunError):  # such as a key that may not remove: what has no use any more stays
            self._store.remove(names)

    def _require_own(self, name: str) -> None:
        """Take a manifest that exists for the newest one if an earlier trial of this command wrote it."""
        try:
            found = Manifest.of_bytes(self._store.read(name), name)
        except FileNotFoundError:  # many manifests later
            found = None
        if found is None or found.writer.token != self._writer.token:
            raise LostRunError(
                "another process has taken over the run",
                where=self._store.url,
                hint="What this process computed meanwhile is kept on this machine; the same command adds it later",
            )
        self.manifest = found

    def _scattered(self) -> list[str]:
        """The files of segments that are small and many, or hold mostly what has no use any more."""
        live = dict.fromkeys(self.manifest.segments, 0)
        for file in self.manifest.files.values():
            live[file.segment] += file.size
        small = {name for name, size in self.manifest.segments.items() if size < _SMALL_BYTES}
        poor = {name for name, size in self.manifest.segments.items() if live[name] < size * _LARGEST_DEAD_SHARE}
        poor |= small if len(small) > _MOST_SMALL else set()
        return [path for path, file in self.manifest.files.items() if file.segment in poor]


class _State(NamedTuple):
    """What changes when a file is written again or replaced."""

    inode: int
    size: int
    changed_ns: int


def _state(path: Path) -> _State | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return _State(found.st_ino, found.st_size, found.st_mtime_ns)


def listed_files(folder: Path) -> list[str]:
    """The files of a run folder, each kind before those that its content moves to, `run.json` last.

    Raises:
        RunError: a folder cannot be read.
    """
    try:
        names = (path.relative_to(folder).as_posix() for top in _TOPS for path in sorted(_files_of(folder, top)))
        return list(dict.fromkeys(filter(_is_content, names)))
    except OSError as error:
        raise RunError(f"cannot be read: {error.strerror or error}", where=error.filename or str(folder)) from None


def _files_of(folder: Path, top: str) -> Iterable[Path]:
    """One kind of files. Folders are removed meanwhile, such as those of journals whose cells are complete."""
    match top:
        case "run.json":
            return [folder / top] if (folder / top).exists() else []
        case "cells" | "packed":
            found = files_below(folder / "cells")
            return (path for path in found if (path.parent.name == "packed") == (top == "packed"))
        case "":
            others = [each for each in folder.iterdir() if each.name not in _TOPS]
            return (path for each in others for path in ([each] if each.is_file() else files_below(each)))
        case _:
            return files_below(folder / top)


def _is_content(path: str) -> bool:
    """Whether a file belongs to the run: not a lock, not half of a file that is being written."""
    parts = PurePosixPath(path).parts
    return not any(part.startswith(".") for part in parts) and not path.endswith(_SIDE_FILES)
