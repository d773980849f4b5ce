"""A project's tasks: named when it is made, loaded when it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from phraseproof.collect.records import Project, ProjectTask
from phraseproof.collect.store import CollectStore
from phraseproof.core import Task
from phraseproof.errors import CollectError
from phraseproof.tasks import known_prefixes, load_tasks

LICENCE = "CC0-1.0"
"""What annotators agree to unless the owner says otherwise."""
_NAMED = 3


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


def new_project(
    folder: Path,
    names: Sequence[str],
    *,
    title: str | None = None,
    licence: str = LICENCE,
    zero_shot: int = 6,
    few_shot: int = 6,
    data_dir: Path | None = None,
    warn: Callable[[str], None] = _be_silent,
) -> CollectStore:
    """Make a project for tasks.

    Args:
        folder: the project's folder, without a project.
        names: the tasks, as `load_tasks` takes them.
        title: the heading of the form; by default it names the tasks.
        licence: the text that annotators agree to.
        zero_shot, few_shot: the wordings asked per annotator and task.
        data_dir: the folder of the benchmarks' published files.
        warn: called with one line for every problem that does not stop the loading.

    Raises:
        CollectError: no task, nothing asked, or the folder holds a project.
        UsageError, TaskError, FileError: as `load_tasks` does.
    """
    tasks = project_tasks(names, data_dir=data_dir, warn=warn)
    shown = ", ".join(task.name for task in tasks[:_NAMED]) + (", ..." if len(tasks) > _NAMED else "")
    project = Project(
        title=title or f"Wordings for {shown}",
        licence=licence,
        tasks=tasks,
        zero_shot=zero_shot,
        few_shot=few_shot,
        data_dir=None if data_dir is None else str(data_dir.resolve()),
    )
    return CollectStore.create(folder, project)


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
