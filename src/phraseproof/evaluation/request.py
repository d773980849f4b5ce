"""What a caller gives to an evaluation: the spec, and the values that exist only as Python objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from phraseproof.core import Model, Task
from phraseproof.errors import UsageError
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.instructions.collections import Collection

Tasks = str | Path | Task | Sequence[str | Path | Task]
Wordings = str | Path | Collection | Sequence[str | Path | Collection]

_Named = TypeVar("_Named", Task, Collection)

OBJECT = "python:"
"""How a spec names a Python object: `python:color`."""


@dataclass(frozen=True)
class EvaluationRequest:
    """A spec, and the objects that it names as `python:NAME`.

    Attributes:
        spec: all options.
        model: the loaded model, if the spec names none.
        tasks, collections: objects by their name in the spec.
    """

    spec: EvaluationSpec
    model: Model | None = None
    tasks: Mapping[str, Task] = field(default_factory=dict[str, Task])
    collections: Mapping[str, Collection] = field(default_factory=dict[str, Collection])

    @classmethod
    def of(
        cls, model: str | Model, tasks: Tasks, instructions: Mapping[str, Wordings], **options: object
    ) -> EvaluationRequest:
        """The request for names, paths and objects.

        Args:
            model: a name, or a loaded model.
            tasks: names separated by commas, a path, a `Task`, or a list of these.
            instructions: for each group of wordings its collections, in the same forms.
            **options: other fields of the spec.

        Raises:
            UsageError: no group of wordings, or a value that a field cannot have.
        """
        _require_groups(instructions)
        kept_tasks: dict[str, Task] = {}
        kept_collections: dict[str, Collection] = {}
        named_tasks = [
            _keep(kept_tasks, member) if isinstance(member, Task) else str(member) for member in _members(tasks)
        ]
        groups = {
            group: [
                _keep(kept_collections, member) if isinstance(member, Collection) else str(member)
                for member in _members(members)
            ]
            for group, members in instructions.items()
        }
        loaded = None if isinstance(model, str) else model
        name = model if isinstance(model, str) else f"{OBJECT}{model.identity.name}"
        spec = EvaluationSpec().with_changes(model=name, tasks=named_tasks, instructions=groups, **options)
        return cls(spec, loaded, kept_tasks, kept_collections)


def _require_groups(given: object) -> None:
    """Python checks no types, and a bare "composed" is an easy mistake."""
    if not given or not isinstance(given, Mapping):
        raise UsageError(
            "no group of wordings to evaluate",
            expected="a mapping from names of groups to collections",
            got=repr(given),
            hint="Name at least one group, as in instructions={'mine': 'my.yaml'}",
        )


def _members(named: Tasks | Wordings) -> Sequence[str | Path | Task | Collection]:
    """The members of a text with commas, of a list, or of one object."""
    if isinstance(named, str):
        return [name.strip() for name in named.split(",") if name.strip()]
    return [named] if isinstance(named, Path | Task | Collection) else named


def _keep(kept: dict[str, _Named], member: _Named) -> str:
    """Keep an object under a new name; returns the name."""
    name = f"{OBJECT}{member.name}"
    number = 2
    while kept.get(name, member) is not member:
        name, number = f"{OBJECT}{member.name}#{number}", number + 1
    kept[name] = member
    return name
