"""URLs of runs in object storage (`s3://bucket/runs/first`), in the places where commands take a run folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from phraseproof.errors import RunError

_URL: Final = re.compile(r"^([a-z][a-z0-9+.-]+):/+(.*)$", re.DOTALL)
"""A path object drops one of the slashes. The drive of a path (`C:/`) has one letter."""

_LOCAL = frozenset({"file", "local"})

URL_FILE = ".url"
"""Next to the local copy of a run in object storage: the run's URL."""


def url_of(path: str | Path) -> str | None:
    """The URL that a path is, without slashes at its end; `None` for the path of a folder.

    Raises:
        RunError: the URL holds a password or a query, which would be printed and stored with it.
    """
    found = _URL.match(str(path))
    if found is None:
        return None
    scheme, rest = found[1], found[2].rstrip("/")
    url = f"{scheme}:///{rest}" if scheme in _LOCAL else f"{scheme}://{rest}"
    user, at, host = rest.partition("/")[0].rpartition("@")
    if (at and ":" in user) or "?" in rest:
        shown = f"{scheme}://...@{host}" if at else f"{scheme}://{rest.partition('?')[0]}?..."
        raise RunError(
            "the URL of a run must not hold credentials or a query",
            where=shown,
            hint="Give them to the store's own package, in its environment variables or configuration",
        )
    return url


def require_no_url(path: Path) -> None:
    """Refuse a URL where a command writes a folder of this machine.

    Raises:
        RunError: it is one.
    """
    if (url := url_of(path)) is not None:
        raise RunError(
            "this command writes a folder, not a URL",
            where=url,
            hint="Give a folder of this machine; phraseproof copy FOLDER URL uploads a finished run",
        )


def name_of(folder: Path) -> str:
    """What a run folder is called in results and messages: its path, or the URL of which it is the local copy."""
    try:
        return (folder.parent / URL_FILE).read_text(encoding="utf-8").strip() or str(folder)
    except OSError:
        return str(folder)
