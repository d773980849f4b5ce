"""The user's cache folder: what takes long to make again, used only if no other user can have changed it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from phraseproof.errors import FileError
from phraseproof.files import read_utf8, write_text

SWITCH = "PHRASEPROOF_CACHE"
"""The environment variable that switches the cache off: `off`."""

MOST_KEPT = 500
"""How many entries a folder keeps; the oldest ones are removed."""

_OTHERS_CAN_WRITE = stat.S_IWGRP | stat.S_IWOTH


def cache_folder(name: str) -> Path | None:
    """A folder in the user's cache folder, made if it is missing.

    Returns:
        `None` if others can write there, if it cannot be made, or if the cache is switched off.
    """
    if os.environ.get(SWITCH, "").casefold() in {"off", "0", "no", "false"} or not hasattr(os, "geteuid"):
        return None
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        folder = (Path(base) if base.startswith("/") else Path.home() / ".cache") / "phraseproof" / name
        if not folder.is_absolute():  # HOME is not
            return None
        # One after the other: a folder that `parents` makes takes the umask, which may let a group write.
        folder.parent.parent.mkdir(parents=True, exist_ok=True)
        for each in (folder.parent, folder):
            each.mkdir(mode=0o700, exist_ok=True)
        is_safe = folder.is_dir() and is_ours(folder) and is_ours(folder.parent)
    except (OSError, RuntimeError):  # no home
        return None
    return folder if is_safe else None


def is_ours(path: Path) -> bool:
    """Whether a file or folder belongs to this user, and only they can write there.

    Raises:
        OSError: there is none.
    """
    found = path.lstat()
    return found.st_uid == os.geteuid() and not found.st_mode & _OTHERS_CAN_WRITE


def keep(entry: Path, text: str) -> None:
    """Write an entry of a folder, so that `is_ours` holds, and remove all but the `MOST_KEPT` last ones of the folder.

    Raises nothing: a full disk or a quota costs time, not the run.
    """
    with contextlib.suppress(FileError, OSError):
        write_text(entry, text)
        entry.chmod(0o600)
        kept = sorted(entry.parent.glob("[!.]*"), key=lambda path: path.stat().st_mtime_ns)
        for path in kept[:-MOST_KEPT]:
            path.unlink(missing_ok=True)


def stored_text(folder_name: str, key: str, compute: Callable[[], str]) -> str:
    """A text that depends on nothing but its key: from the cache, or computed and kept.

    Args:
        folder_name: in the user's cache folder.
        key: a file name, such as a hash of all that the text depends on.
        compute: makes the text. What it raises is raised.
    """
    folder = cache_folder(folder_name)
    if folder is None:
        return compute()
    with contextlib.suppress(OSError, ValueError):
        if is_ours(folder / key):
            checksum, _, text = read_utf8(folder / key).partition("\n")
            if checksum == _checksum(text):
                return text
    text = compute()
    keep(folder / key, f"{_checksum(text)}\n{text}")
    return text


def _checksum(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
