"""Tasks and collections that are given by name, as files or as objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from phraseproof.core import Task
from phraseproof.hardening.search_plan import SearchInput
from phraseproof.instructions.collections import Collection, load_collection
from phraseproof.tasks import load_tasks

TaskNames = str | Sequence[str | Task]
CollectionNames = str | Sequence[str | Path | Collection]

Member = TypeVar("Member")


def named_tasks(given: TaskNames, data_dir: str | Path | None, warn: Callable[[str], None]) -> list[Task]:
    """The tasks, in the order given; names may be separated by commas.

    Args:
        given: names of tasks and task files, or tasks.
        data_dir: a folder with the benchmarks' published files, instead of the hub.
        warn: receives what a user should know of the data.
    """
    found: list[Task] = []
    for member in split_names(given):
        if isinstance(member, Task):
            found.append(member)
        else:
            found += load_tasks([member], data_dir=None if data_dir is None else Path(data_dir), warn=warn)
    return found


def named_collections(given: CollectionNames) -> list[Collection]:
    """The collections, in the order given; names may be separated by commas."""
    return [member if isinstance(member, Collection) else load_collection(str(member)) for member in split_names(given)]


def split_names(given: str | Sequence[Member]) -> list[str | Member]:
    """The members of a list, or the names in a text that separates them by commas."""
    if isinstance(given, str):
        return [name.strip() for name in given.split(",") if name.strip()]
    return list(given)


def search_input(
    tasks: TaskNames,
    instructions: CollectionNames,
    unseen: TaskNames = (),
    check: TaskNames = (),
    *,
    further: CollectionNames = (),
    data_dir: str | Path | None = None,
    warn: Callable[[str], None],
) -> SearchInput:
    """The input of a search.

    Args:
        tasks, unseen, check: names of tasks and task files, or tasks.
        instructions, further: names of collections and collection files, or collections.
        data_dir: a folder with the benchmarks' published files, instead of the hub.
        warn: receives what a user should know of the data.
    """
    return SearchInput(
        named_tasks(tasks, data_dir, warn),
        named_collections(instructions),
        named_tasks(unseen, data_dir, warn),
        named_tasks(check, data_dir, warn),
        named_collections(further),
    )
