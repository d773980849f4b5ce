"""Write files atomically: after a kill a file is absent or complete. Read regular files of bounded size.

Named pipes and devices are refused, because reading one may never end.
"""

from __future__ import annotations

import codecs
import errno
import json
import os
import re
import secrets
import stat
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from phraseproof.errors import FileError, PhraseproofError

MAX_BYTES = 1 << 30
"""The maximum size of a file that is read into memory whole."""

_URL = re.compile(r"[a-z][a-z0-9+.-]+:/")

_SYNCS_AT_ONCE = 16
"""Threads that wait for the disk, which writes what they wait for together."""


def require_regular(path: Path, *, max_bytes: int | None = None) -> None:
    """Refuse what is not a regular file (or a link to one), and files above a size.

    Raises:
        OSError: there is no such file, it is a folder, a named pipe or a device, or it is too large.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, f"not a regular file but {_kind(found.st_mode)}", str(path))
    if max_bytes is not None and found.st_size > max_bytes:
        raise OSError(errno.EFBIG, f"the file has {found.st_size} bytes, more than {max_bytes}", str(path))


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((name for holds, name in kinds if holds(mode)), "something else")


def read_bytes(path: Path, *, max_bytes: int = MAX_BYTES) -> bytes:
    """The content of a regular file. Raises as `require_regular` does."""
    require_regular(path, max_bytes=max_bytes)
    return path.read_bytes()


def read_utf8(path: Path, *, max_bytes: int = MAX_BYTES) -> str:
    """The text of a regular file in UTF-8. Raises as `require_regular` does, and a `ValueError` for other bytes."""
    return read_bytes(path, max_bytes=max_bytes).decode()


def parse_json(text: str | bytes) -> object:
    """JSON as plain data.

    Raises:
        ValueError: not JSON, nested too deeply, or a number has too many digits; one short sentence says which.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text (byte 0x{error.object[error.start]:02x})") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError:  # Python's own message names a function that a user cannot call
        raise ValueError("a number has too many digits") from None


def read_json(path: Path, *, max_bytes: int = MAX_BYTES) -> object:
    """The content of a JSON file as plain data; a byte order mark is skipped.

    Raises:
        OSError: it cannot be read; see `require_regular`.
        ValueError: see `parse_json`.
    """
    return parse_json(read_bytes(path, max_bytes=max_bytes).removeprefix(b"\xef\xbb\xbf"))


def load_json(path: Path, *, max_bytes: int = MAX_BYTES) -> object:
    """`read_json` for users' files.

    Raises:
        FileError: it cannot be read or is not JSON; says why, and the line where it is known.
    """
    try:
        return read_json(path, max_bytes=max_bytes)
    except json.JSONDecodeError as error:
        raise FileError(f"not valid JSON: {error.msg}", where=f"{path}:{error.lineno}") from None
    except OSError as error:
        raise unreadable(path, error) from None
    except ValueError as error:
        raise FileError(f"not valid JSON: {error}", where=str(path)) from None


def unreadable(path: Path, error: OSError) -> FileError:
    """The error of a user's file that the system cannot read, or that `require_regular` refuses."""
    return FileError(f"cannot be read: {error.strerror or error}", where=str(path))


@contextmanager
def replacing(path: Path, *, error: type[PhraseproofError] = FileError) -> Generator[Path]:
    """A temporary file next to `path` that replaces it, synced to disk, when the block ends without an error.

    Args:
        path: the file; folders that it needs are made.
        error: what is raised if it cannot be written.
    """
    with replacing_many(error=error) as temporary:
        yield temporary(path)


@contextmanager
def replacing_many(*, error: type[PhraseproofError] = FileError) -> Generator[Callable[[Path], Path]]:
    """`replacing` for many files: a function from the path of a file to its temporary file.

    All files are replaced when the block ends without an error. They are synced together, which takes little more time
    than one, and their folders once.

    Args:
        error: what is raised if a file cannot be written.
    """
    files: dict[Path, Path] = {}

    def temporary(path: Path) -> Path:
        if _URL.match(str(path)):  # as a path, it would be a folder of that name
            raise error("a file of this machine is needed, not a URL", where=str(path))
        source = path.with_name(f".{path.name.split('-')[0][:100]}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
        files[source] = path
        path.parent.mkdir(parents=True, exist_ok=True)
        return source

    try:
        yield temporary
        _publish_files(files)
    except OSError as reason:
        known = {str(source): path for source, path in files.items()}
        at = known.get(str(reason.filename), next(reversed(files.values()), ""))
        raise error(f"cannot be written: {reason.strerror or reason}", where=str(at)) from None
    finally:
        for source in files:
            with suppress(OSError):
                source.unlink(missing_ok=True)


def _publish_files(files: Mapping[Path, Path]) -> None:
    """`publish` for many files, by their temporary paths."""
    if len(files) > 1:
        with ThreadPoolExecutor(_SYNCS_AT_ONCE) as pool:
            for _ in pool.map(_sync_file, files):
                pass  # raises the first error
    else:
        for source in files:
            _sync_file(source)
    for source, target in files.items():
        source.replace(target)
    for folder in {target.parent for target in files.values()}:
        sync_folder(folder)


def files_below(folder: Path) -> Iterator[Path]:
    """The files of a folder at any depth, as they are found. What another process removes meanwhile is left out.

    `Path.rglob` and `Path.glob` raise for a folder that is removed after its name was read.

    Raises:
        OSError: a folder that exists cannot be read.
    """
    for place, _, names in os.walk(folder, onerror=_raise_unless_gone):
        yield from (path for name in names if (path := Path(place, name)).is_file())


def files_in(folder: Path, suffix: str = "") -> list[Path]:
    """The files directly in a folder whose names end in `suffix`, sorted; none if there is no folder.

    Raises:
        OSError: the folder exists and cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.name.endswith(suffix) and entry.is_file())
    except FileNotFoundError:
        return []


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def publish(source: Path, target: Path) -> None:
    """Give a finished file or folder its final name, so that name and content are on disk afterwards.

    Files get the permissions of new ones: safetensors writes files that only their owner can read, and a server is
    often another user.

    Raises:
        OSError: it cannot be synced or renamed.
    """
    for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
        if path.is_dir():
            sync_folder(path)
        else:
            _give_ordinary_permissions(path)
            _sync_file(path)
    if source.is_dir():
        sync_folder(source)
    source.replace(target)
    sync_folder(target.parent)


def _give_ordinary_permissions(path: Path) -> None:
    """Give a file that only its owner can use the permissions of a new one, which depend on the process's umask."""
    if path.stat().st_mode & 0o077:
        return
    new = path.with_name(f".{secrets.token_hex(4)}.tmp")  # reading the umask would change it for other threads
    try:
        new.touch(exist_ok=False)
        path.chmod(stat.S_IMODE(new.stat().st_mode))
    finally:
        new.unlink(missing_ok=True)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Write a folder's entries to disk: only then does a file that was renamed keep its new name after a power cut."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    except OSError as error:  # network file systems that cannot sync a folder say so; the file itself is synced
        if error.errno not in {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES}:
            raise
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str, *, error: type[PhraseproofError] = FileError) -> None:
    """Write a text whole, in UTF-8 with plain line ends; see `replacing`."""
    with replacing(path, error=error) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(
    path: Path,
    content: Mapping[str, Any],
    *,
    indent: int | None = 1,
    item_separator: str | None = None,
    error: type[PhraseproofError] = FileError,
) -> None:
    """Write JSON whole; see `replacing`.

    Args:
        path: the file.
        content: plain data.
        indent: spaces per level, `None` for no line breaks. With it, Python takes five times as long.
        item_separator: between items, in place of a comma; for line breaks without `indent`.
        error: what is raised if the file cannot be written.
    """
    separators = None if item_separator is None else (item_separator, ": ")
    text = json.dumps(content, indent=indent, ensure_ascii=False, separators=separators) + "\n"
    with replacing(path, error=error) as temporary:
        # A command line's bytes that are not UTF-8 are lone surrogates by now; `\udcff` is how JSON spells one.
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def decoded(data: bytes) -> str:
    """The text of a file: UTF-8, or what a byte-order mark at its beginning says (UTF-16, UTF-32).

    Raises:
        UnicodeDecodeError: the file is not text in that encoding.
    """
    return data.decode(encoding_of(data))


MARK_BYTES = 4
"""The length of the longest byte-order mark."""


def encoding_of(beginning: bytes) -> str:
    """The encoding of a text file that begins with these bytes, as its byte-order mark says; else UTF-8."""
    marks = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16"}
    marks[codecs.BOM_UTF16_BE] = "utf-16"  # after UTF-32's, of which UTF-16's is a beginning
    return next((encoding for mark, encoding in marks.items() if beginning.startswith(mark)), "utf-8-sig")
