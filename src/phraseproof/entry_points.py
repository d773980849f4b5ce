"""What installed packages add: their entry points, which are searched for once per process."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import metadata
from importlib.metadata import EntryPoints


def entry_points(group: str) -> EntryPoints:
    """The entry points of a group, of all packages on `sys.path`."""
    return _found(group, tuple(sys.path))


@lru_cache(maxsize=64)
def _found(group: str, path: tuple[str, ...]) -> EntryPoints:
    """The entry points of a group. Reading the records of all packages takes milliseconds; evaluations ask often.

    Args:
        group: its name.
        path: `sys.path`, so that packages in a folder that is added to it are found.
    """
    del path
    return metadata.entry_points(group=group)
