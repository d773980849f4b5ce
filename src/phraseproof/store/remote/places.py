"""Where the local copies of runs in object storage are: a folder per URL in the user's cache folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from phraseproof.errors import RunError
from phraseproof.store.urls import URL_FILE
from phraseproof.user_cache import cache_folder

READING = "read"
"""The end of the name of the folder of copies that commands read."""

_FOLDER = "runs"
_MOST_CHARACTERS = 80


class LocalPlace(NamedTuple):
    """The local files of one URL, for one purpose.

    Attributes:
        home: the folder of everything.
        copy: the run folder.
    """

    home: Path
    copy: Path

    @property
    def lock(self) -> Path:
        """The lock file of the processes of this machine."""
        return self.home / "copy.lock"

    def temporary(self) -> Path:
        """A folder for segments on their way, made if it is missing."""
        folder = self.home / ".segments"
        folder.mkdir(exist_ok=True)
        return folder


def reading_place(url: str) -> LocalPlace:
    """The files of commands that read: what the store held when it was last read."""
    return _place(url, READING)


def writing_place(url: str) -> LocalPlace:
    """The files of commands that write: what the store holds, and what is not uploaded yet."""
    return _place(url, "write")


def _place(url: str, purpose: str) -> LocalPlace:
    cache = cache_folder(_FOLDER)
    if cache is None:
        raise RunError(
            "a run in object storage needs a cache folder on this machine, and there is none that only you can write",
            where=url,
            hint="Set XDG_CACHE_HOME to a folder of yours, and leave PHRASEPROOF_CACHE unset",
        )
    home = cache / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{purpose}"
    copy = home / (url.rpartition("/")[2][-_MOST_CHARACTERS:] or "run")
    try:
        home.mkdir(mode=0o700, exist_ok=True)
        if not (home / URL_FILE).exists():
            (home / URL_FILE).write_text(f"{url}\n", encoding="utf-8")
        copy.mkdir(exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot be written: {error.strerror or error}", where=str(home)) from None
    return LocalPlace(home, copy)
