"""A project's tasks: named when it is made, loaded when it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from phraseproof.collect.records import Project, ProjectTask
from phraseproof.core import Task
from phraseproof.errors import CollectError
from phraseproof.tasks import known_prefixes, load_tasks


def _be_silent(_message: str) -> None:
    """Ignore a warning."""


def project_tasks(
    names: Sequence[str], *, data_dir: Path | None = None, warn: Callable[[str], None] = _be_silent
) -> tuple[ProjectTask, ...]:
    """The tasks that names mean, as a project keeps them: files by their absolute path, others by name.

    Args:
        names: as `load_tasks` takes them; one name may mean several tasks.
        data_dir: the folder of the benchmarks' published files.
        warn: called with one line for every problem that does not stop the loading.

    Raises:
        UsageError, TaskError, FileError: as `load_tasks` does.
    """
    found: list[ProjectTask] = []
    for name in names:
        for task in load_tasks([name], data_dir=data_dir, warn=warn):
            is_built_in = task.name.split("/")[0] in known_prefixes()  # a name that files cannot have
            found.append(ProjectTask(task.name, task.name if is_built_in else str(_file_of(name))))
    return tuple(found)


def load_project_tasks(project: Project, *, warn: Callable[[str], None] = _be_silent) -> dict[str, Task]:
    """A project's tasks with their examples, by name, in the project's order.

    Raises:
        CollectError: a task's file now holds another task.
        UsageError, TaskError, FileError: as `load_tasks` does.
    """
    data_dir = None if project.data_dir is None else Path(project.data_dir)
    loaded: dict[str, Task] = {}
    for each in project.tasks:
        (task, *others) = load_tasks([each.source], data_dir=data_dir, warn=warn)
        if others or task.name != each.name:
            raise CollectError("the task has another name now", expected=each.name, got=task.name, where=each.source)
        loaded[each.name] = task
    return loaded


def _file_of(name: str) -> Path:
    """The absolute path of a task's file; its suffix may be left out."""
    return next(each.resolve() for each in (Path(name), Path(f"{name}.yaml"), Path(f"{name}.yml")) if each.is_file())
