"""The tasks of the form: a sample of their examples, a description, and a worked example of a wording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from phraseproof.collect.composition import field_names
from phraseproof.collect.preview import CHECKED_EXAMPLES
from phraseproof.collect.records import Project
from phraseproof.core import Example, Kind, Task
from phraseproof.tasks import catalogue, known_prefixes

_DEMONSTRATIONS = 50
_WORKED = {
    Kind.MULTIPLE_CHOICE: "Read the question and choose the right option. Answer with its letter.",
    Kind.SUMMARIZATION: "Write one sentence that says what this text is about.",
    Kind.TRANSLATION: "Translate this sentence.",
    Kind.FREE_TEXT: "Answer in a few words.",
}


@dataclass(frozen=True, slots=True)
class FormTask:
    """A task of the form.

    Attributes:
        number: its place, from 1, as addresses name it.
        task: a sample of its examples.
        description: what it is about.
        worked_example: the text of a wording that annotators see as an example.
    """

    number: int
    task: Task
    description: str
    worked_example: str

    @property
    def name(self) -> str:
        """The task's name."""
        return self.task.name


def form_tasks(project: Project, samples: Mapping[str, Task]) -> tuple[FormTask, ...]:
    """The tasks of a project's form.

    Args:
        project: the project, with the owner's descriptions and worked examples.
        samples: its tasks by name, from `sample_of`.
    """
    return tuple(
        FormTask(
            number,
            samples[each.name],
            each.description or _about(each.name),
            each.worked_example or worked_example(samples[each.name]),
        )
        for number, each in enumerate(project.tasks, start=1)
    )


def worked_example(task: Task) -> str:
    """A plain wording for a task, which shows annotators what one looks like."""
    if task.kind in _WORKED:
        return _WORKED[task.kind]
    return "Read the text and decide which of these fits: {{ choices | join(', ') }}."


def sample_of(task: Task) -> Task:
    """The first examples of a task, with the fields that a wording may name: checks of a wording take milliseconds."""
    names = field_names(task)

    def named(example: Example) -> Example:
        return replace(example, fields={name: example.fields[name] for name in names if name in example.fields})

    return replace(
        task,
        examples=tuple(map(named, task.examples[:CHECKED_EXAMPLES])),
        demonstrations=tuple(map(named, task.demonstrations[:_DEMONSTRATIONS])),
    )


@cache
def _about(name: str) -> str:
    """What the catalogue says about a built-in task; empty for a user's."""
    if name.split("/", 1)[0] not in known_prefixes():
        return ""
    about = next((listing.about for listing in catalogue() if listing.name == name), "")
    return about[:1].upper() + about[1:] + "." if about else ""
