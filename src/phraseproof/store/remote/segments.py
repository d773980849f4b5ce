"""Segments: objects with many files of a run folder, as ZIP archives that are named by the SHA-256 of their content.

Whatever the number of cells, what is new since the last upload is one object. Parquet files are stored as they are, and
other files compressed.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
import zipfile
import zlib
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, NamedTuple

from phraseproof.errors import RunError
from phraseproof.store.remote.manifest import StoredFile
from phraseproof.store.remote.object_store import ObjectStore

FOLDER = "segments"
TARGET_BYTES = 64 << 20
"""A segment takes further files until it has this size."""

_CHUNK = 1 << 20
_NO_TIME = (1980, 1, 1, 0, 0, 0)
"""Equal files make equal segments."""


class NewSegment(NamedTuple):
    """A segment that is not uploaded yet.

    Attributes:
        path: its file, which the caller removes.
        name: the SHA-256 of its content.
        size: in bytes.
        files: what it holds.
    """

    path: Path
    name: str
    size: int
    files: Mapping[str, StoredFile]


class _Added(NamedTuple):
    size: int
    crc32: int
    changed_s: int


def segment_name(name: str) -> str:
    """The object of a segment."""
    return f"{FOLDER}/{name}.zip"


def write_segments(folder: Path, paths: Iterable[str], temporary: Path) -> Iterator[NewSegment]:
    """Write files of a run folder to segments. Files that are gone meanwhile are left out.

    Args:
        folder: the run folder.
        paths: in it.
        temporary: where the segments are written.
    """
    left = iter(paths)
    path = next(left, None)
    while path is not None:
        target = temporary / f"{secrets.token_hex(8)}.zip"
        added: dict[str, _Added] = {}
        held = 0
        with zipfile.ZipFile(target, "w") as archive:
            while path is not None and held < TARGET_BYTES:
                try:
                    changed_s = int((folder / path).stat().st_mtime)
                    with _content(folder / path) as source:
                        added[path] = _Added(*_add(archive, path, source), changed_s)
                    held += added[path].size
                except FileNotFoundError:
                    pass
                path = next(left, None)
        if added:
            name = sha256_of(target)
            files = {each: StoredFile(segment=name, **values._asdict()) for each, values in added.items()}
            yield NewSegment(target, name, target.stat().st_size, files)
        else:
            target.unlink()


def fetch_files(
    store: ObjectStore, name: str, size: int, wanted: Mapping[str, StoredFile], temporary: Path
) -> Iterator[tuple[str, Path]]:
    """Download a segment, check it, and take files out of it.

    Args:
        store: the run's objects.
        name: of the segment.
        size: that it must have, in bytes.
        wanted: the files, by their paths in the run folder.
        temporary: where they are written; the caller moves each before it asks for the next one.

    Raises:
        RunError: the segment is not what its name says.
        FileNotFoundError: it is gone.
    """
    where = f"{store.url}/{segment_name(name)}"
    token = secrets.token_hex(8)
    fetched, target = temporary / f"{token}.zip", temporary / f"{token}.file"
    try:
        store.fetch(segment_name(name), fetched)
        found = fetched.stat().st_size
        if found != size:
            raise _damaged("it is incomplete" if found < size else "it is too long", where, f"{size} bytes", f"{found}")
        if (checksum := sha256_of(fetched)) != name:
            raise _damaged("its checksum is not the one in its name", where, name[:16], checksum[:16])
        with zipfile.ZipFile(fetched) as archive:
            for path, file in wanted.items():
                with archive.open(path) as source, target.open("wb") as out:
                    copied = _copy(source, out)
                if copied != (file.size, file.crc32):
                    raise _damaged(f"{path} in it is not what the manifest says", where)
                os.utime(target, (file.changed_s, file.changed_s))
                yield path, target
    except (zipfile.BadZipFile, KeyError, EOFError, zlib.error) as error:
        raise _damaged(f"{type(error).__name__}: {error}", where) from None
    finally:
        fetched.unlink(missing_ok=True)
        target.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_same(path: Path, file: StoredFile) -> bool:
    """Whether a local file has the content that a manifest says."""
    try:
        if path.stat().st_size != file.size and path.suffix != ".sqlite":
            return False
        with _content(path) as source:
            return _copy(source, None) == (file.size, file.crc32)
    except FileNotFoundError:
        return False


@contextmanager
def _content(path: Path) -> Generator[IO[bytes]]:
    """A file to read; of a database, which a process may be writing, its content at one moment."""
    if path.suffix != ".sqlite":
        with path.open("rb") as file:
            yield file
        return
    path.stat()  # connecting would make a missing file
    try:
        with closing(sqlite3.connect(path)) as database:
            content = database.serialize()
    except sqlite3.Error as error:
        raise RunError(f"cannot be read: {error}", where=str(path)) from None
    yield BytesIO(content)


def _add(archive: zipfile.ZipFile, path: str, source: IO[bytes]) -> tuple[int, int]:
    entry = zipfile.ZipInfo(path, _NO_TIME)
    entry.compress_type = zipfile.ZIP_STORED if path.endswith(".parquet") else zipfile.ZIP_DEFLATED
    with archive.open(entry, "w", force_zip64=True) as out:
        return _copy(source, out)


def _copy(source: IO[bytes], target: IO[bytes] | None) -> tuple[int, int]:
    """Copy to the end; the number of bytes and their CRC-32."""
    size = crc = 0
    while chunk := source.read(_CHUNK):
        size, crc = size + len(chunk), zlib.crc32(chunk, crc)
        if target is not None:
            target.write(chunk)
    return size, crc


def _damaged(reason: str, where: str, expected: str | None = None, got: str | None = None) -> RunError:
    return RunError(
        f"the object is damaged: {reason}",
        expected=expected,
        got=got,
        where=where,
        hint="Restore it, or remove the run there and evaluate again",
    )
