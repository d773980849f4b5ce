"""The wordings of a collection that serve a task, and the task, for commands with `--task`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from phraseproof.cli import terminal
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.core import Instruction, Task
    from phraseproof.instructions.collections import Collection


def load_task(name: str | None, data_dir: Path | None) -> list[Task]:
    """The task or tasks of `--task`; none if the option is absent. Warnings go to stderr."""
    from phraseproof.tasks import load_tasks

    return [] if name is None else load_tasks([name], data_dir=data_dir, warn=terminal.warn)


def wordings_for(collection: Collection, task: Task) -> tuple[Instruction, ...]:
    """The wordings that serve `task`.

    Raises:
        UsageError: no wording serves the task.
    """
    from phraseproof.instructions.collections import instructions_for

    wordings = instructions_for(collection, task)
    if not wordings:
        served = ", ".join(names_served(collection))
        raise UsageError(
            f"no wording of {collection.name!r} serves task {task.name!r} (kind {task.kind.value})",
            hint=f"Its wordings are for: {served}" if served else None,
        )
    return wordings


def names_served(collection: Collection) -> list[str]:
    """The tasks, categories and kinds that a collection's wordings name, sorted."""
    return sorted({name for wording in collection.instructions for name in wording.serves})
