"""Shell completion of the names that options take: tasks and collections of wordings.

`phraseproof --install-completion` installs it for bash, zsh, fish or PowerShell. The functions read names only, never
data: a Tab must answer at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from phraseproof.errors import UsageError


def complete_tasks(incomplete: str) -> list[str]:
    """Names of built-in tasks; the text before the last comma is kept."""
    from phraseproof.tasks import catalogue

    return _complete(incomplete, (listing.name for listing in catalogue()))


def complete_instructions(incomplete: str) -> list[str]:
    """Names of collections: shipped, of installed packages, and in ./instructions.

    The text before the last comma is kept.
    """
    from phraseproof.instructions.collections import own_collections, shipped_collections

    names = [*shipped_collections()]
    with suppress(
        UsageError
    ):  # Two collections in ./instructions have one name: the command reports it, completion does not.
        names += own_collections()
    return _complete(incomplete, names)


def complete_groups(incomplete: str) -> list[str]:
    """Names of collections after `GROUP=`; the text before the `=` is the name of the group."""
    group, equals, members = incomplete.partition("=")
    if not equals:
        return []
    return [f"{group}={found}" for found in complete_instructions(members)]


def _complete(incomplete: str, names: Iterable[str]) -> list[str]:
    before, comma, last = incomplete.rpartition(",")
    taken = set(before.split(","))
    return [before + comma + name for name in names if name.startswith(last) and name not in taken]
