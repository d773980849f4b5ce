"""Run folders to read: of this machine, or the local copies of runs in object storage."""

from __future__ import annotations

from pathlib import Path

from phraseproof.errors import RunError
from phraseproof.store.urls import url_of


def folder_to_read(path: str | Path) -> Path:
    """A folder of this machine as it is; of a URL the local copy, brought up to date.

    Raises:
        RunError: there is no run at the URL, it cannot be read, or an object of it is damaged or missing.
    """
    folder = folder_if_any(path)
    if folder is None:
        raise RunError(
            "no run is stored there",
            where=url_of(path),
            hint="Give the URL that was named with --out; phraseproof runs URL lists the runs below one",
        )
    return folder


def folder_if_any(path: str | Path) -> Path | None:
    """`folder_to_read`, but `None` where there is no run at a URL. The folder of a path may be missing."""
    url = url_of(path)
    if url is None:
        return Path(path)
    from phraseproof.store.remote.mirror import fetch_run

    return fetch_run(url)
