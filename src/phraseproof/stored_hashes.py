"""Hashes of large files, kept in the user's cache folder, so that gigabytes of weights are not read at every start.

A hash is used again only while nothing about the files has changed: their paths, devices, inodes, sizes, and the times
of the last change of content (mtime) and of anything (ctime, which no program can set). Times prove this only under
conditions, and files that miss one of them are hashed every time:

* The last change is older than `SETTLED_AFTER_S`. Two changes within one tick of the clock have one time, and a program
  that writes through a mapping of a file changes its time only when the system has written the page to disk, 30 seconds
  later. So a hash is not kept unless the files were left alone for longer before it was computed, and kept their times
  while it was.
* The last change of anything was not at a whole second, as in an image of a disk whose times a program has set.
* The files are on a local file system of Linux. Elsewhere times come from another machine's clock, from a cache of a
  client, or are not kept at all; on Windows no time changes whenever a file does.
"""

from __future__ import annotations

import json
import os
import re
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from phraseproof.files import read_json
from phraseproof.identity import content_hash, file_hash
from phraseproof.user_cache import cache_folder, is_ours, keep

SETTLED_AFTER_S = 300.0
"""For how long files must not have changed before their hash is kept."""

WORTH_KEEPING_BYTES = 16 << 20
"""Smaller files are hashed in less time than it is worth to think about."""

_LOCAL = ("ext4", "xfs", "btrfs", "f2fs", "zfs")
_MOUNTS = Path("/proc/self/mountinfo")
_MOST_BYTES = 1 << 20


class FileTimes(NamedTuple):
    """What tells whether a file is the same as before."""

    path: str
    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, path: Path) -> FileTimes:
        """Read a file's times. Raises an `OSError` if there is none."""
        found = path.stat()
        return cls(
            os.path.realpath(path), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
        )


def stored_file_hash(*paths: Path) -> str:
    """`file_hash`, kept as `stored_hash` says. Raises as `file_hash` does."""
    return stored_hash(paths, lambda: file_hash(*paths), kind="names, sizes and bytes")


def stored_hash(paths: Sequence[Path], compute: Callable[[], str], *, kind: str) -> str:
    """A hash of files, from the cache where that is certain to be right, and kept there if it will be.

    Args:
        paths: the files, in the order in which they are hashed.
        compute: reads them. What it raises is raised.
        kind: names what `compute` does with them.
    """
    before = _times(paths)
    folder = None if before is None or not _can_be_kept(before) else cache_folder("hashes")
    if folder is None or before is None:
        return compute()
    entry = folder / f"{content_hash([kind, [path.name for path in paths], [each.path for each in before]])}.json"
    if (known := _read(entry, before)) is not None:
        return known
    found = compute()
    if _times(paths) == before and _are_settled(before):
        keep(entry, json.dumps(_entry(before, found)))
    return found


def _times(paths: Sequence[Path]) -> list[FileTimes] | None:
    try:
        return [FileTimes.of(path) for path in paths]
    except OSError:  # hashing them says what is wrong
        return None


def _can_be_kept(files: Sequence[FileTimes]) -> bool:
    if sum(each.size for each in files) < WORTH_KEEPING_BYTES:
        return False
    mounts = _mounts()
    return all(_file_system(each.path, mounts) in _LOCAL for each in files)


def _are_settled(files: Sequence[FileTimes]) -> bool:
    """Whether the files had not changed for a while when `files` was read, by times that a clock has set."""
    limit = time.time_ns() - int(SETTLED_AFTER_S * 1e9)
    return all(max(each.mtime_ns, each.ctime_ns) < limit and each.ctime_ns % 10**9 for each in files)


def _mounts() -> list[tuple[str, str]]:
    """The mount points of this system with the types of their file systems; none where the system does not say."""
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    found: list[tuple[str, str]] = []
    for line in lines:
        fields = line.split(" ")
        if "-" in fields[6:] and len(fields) > (at := fields.index("-", 6)) + 1:
            point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4])
            found.append((point, fields[at + 1]))
    return found


def _file_system(path: str, mounts: Sequence[tuple[str, str]]) -> str:
    """The type of the file system with a path: that of its longest mount point, the last one of several."""
    best, kind = "", ""
    for point, name in mounts:
        below = point if point.endswith("/") else f"{point}/"
        if path.startswith(below) and len(below) >= len(best):
            best, kind = below, name
    return kind


def _read(entry: Path, files: Sequence[FileTimes]) -> str | None:
    """The hash that an entry holds of exactly these files."""
    try:
        content = read_json(entry, max_bytes=_MOST_BYTES) if is_ours(entry) else None
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or "hash" not in content:
        return None
    found = content["hash"]
    return found if isinstance(found, str) and content == _entry(files, found) else None


def _entry(files: Sequence[FileTimes], found: str) -> dict[str, object]:
    plain = [list(each) for each in files]
    return {"files": plain, "hash": found, "checksum": zlib.crc32(json.dumps([plain, found]).encode())}
