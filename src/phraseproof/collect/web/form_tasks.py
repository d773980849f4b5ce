"""The tasks of the form: a sample of their examples, a description, and a worked example of a wording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from phraseproof.collect.preview import CHECKED_EXAMPLES
from phraseproof.collect.records import Project, ProjectTask
from phraseproof.collect.web.site import FormTask
from phraseproof.core import Kind, Task
from phraseproof.errors import TaskError
from phraseproof.tasks import catalogue, known_prefixes, load_tasks

_DEMONSTRATIONS = 50
_WORKED = {
    Kind.MULTIPLE_CHOICE: "Read the question and choose the right option. Answer with its letter.",
    Kind.SUMMARIZATION: "Write one sentence that says what this text is about.",
    Kind.TRANSLATION: "Translate this sentence.",
    Kind.FREE_TEXT: "Answer in a few words.",
}


def form_tasks(project: Project, loaded: Sequence[Task] | None = None) -> tuple[FormTask, ...]:
    """The tasks of a project's form.

    Args:
        project: the project.
        loaded: its tasks; by default they are loaded.

    Raises:
        TaskError, FileError: a task cannot be loaded, or has another name than before.
    """
    if loaded is None:
        data_dir = None if project.data_dir is None else Path(project.data_dir)
        loaded = load_tasks([each.source for each in project.tasks], data_dir=data_dir)
    by_name = {task.name: task for task in loaded}
    found: list[FormTask] = []
    for number, each in enumerate(project.tasks, start=1):
        if each.name not in by_name:
            raise TaskError(f"the project's task {each.name!r} cannot be found", got=each.source)
        task = _sample(by_name[each.name])
        found.append(
            FormTask(number, task, each.description or _about(each.name), each.worked_example or worked_example(task))
        )
    return tuple(found)


def project_tasks(names: Sequence[str], *, data_dir: Path | None = None) -> tuple[tuple[ProjectTask, ...], list[Task]]:
    """The tasks that names and files mean, as a project keeps them, and loaded.

    Raises:
        UsageError, TaskError, FileError: an unknown name, or data that cannot be used.
    """
    loaded: list[Task] = []
    kept: list[ProjectTask] = []
    for name in names:
        for task in load_tasks([name], data_dir=data_dir):
            is_built_in = task.name.split("/", 1)[0] in known_prefixes()
            loaded.append(task)
            kept.append(ProjectTask(task.name, task.name if is_built_in else str(_file(name).absolute())))
    return tuple(kept), loaded


def worked_example(task: Task) -> str:
    """A plain wording for a task, which shows annotators what one looks like."""
    if task.kind in _WORKED:
        return _WORKED[task.kind]
    return "Read the text and decide which of these fits: {{ choices | join(', ') }}."


def _sample(task: Task) -> Task:
    """The first examples of a task, so that checks of a wording take milliseconds."""
    return replace(
        task, examples=task.examples[:CHECKED_EXAMPLES], demonstrations=task.demonstrations[:_DEMONSTRATIONS]
    )


def _about(name: str) -> str:
    """What the catalogue says about a built-in task; empty for a user's."""
    if name.split("/", 1)[0] not in known_prefixes():
        return ""
    about = next((listing.about for listing in catalogue() if listing.name == name), "")
    return about[:1].upper() + about[1:] + "." if about else ""


def _file(name: str) -> Path:
    """The file that a task was read from; a name may leave out its ending."""
    return next(
        (path for path in (Path(name), Path(f"{name}.yaml"), Path(f"{name}.yml")) if path.is_file()), Path(name)
    )
