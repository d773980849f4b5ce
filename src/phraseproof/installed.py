"""Installed packages: their versions and entry points, each searched for once per process."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache
from importlib import metadata
from importlib.metadata import EntryPoints


def entry_points(group: str) -> EntryPoints:
    """The entry points of a group, of all packages on `sys.path`."""
    return _found(group, tuple(sys.path))


def versions(packages: Sequence[str]) -> dict[str, str]:
    """The versions of those packages that are installed, by name."""
    found = {package: _version(package, tuple(sys.path)) for package in packages}
    return {package: version for package, version in found.items() if version}


@lru_cache(maxsize=64)
def _version(package: str, path: tuple[str, ...]) -> str:
    """The version of a package; empty if it is not installed. Each run and training records eight of them."""
    del path
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


@lru_cache(maxsize=64)
def _found(group: str, path: tuple[str, ...]) -> EntryPoints:
    """The entry points of a group. Reading the records of all packages takes milliseconds; evaluations ask often.

    Args:
        group: its name.
        path: `sys.path`, so that packages in a folder that is added to it are found.
    """
    del path
    return metadata.entry_points(group=group)
