"""Looks at a test set: which trained models were reported on it, so that later reports say that it is no longer new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """One report of trained models on a test set.

    Attributes:
        examples: by task a hash of the test examples.
        models: names of the trainings that were reported; different trainings have different names.
        reported: what was trained, for people: a method and its learning rate each.
        recommendation: what the report said.
    """

    examples: Mapping[str, str]
    models: Sequence[str]
    reported: Sequence[str]
    recommendation: str

    def is_same_as(self, other: Look) -> bool:
        """Whether it is the same report: the same models on the same examples."""
        return dict(self.examples) == dict(other.examples) and set(self.models) == set(other.models)

    def shares_examples_with(self, other: Look) -> bool:
        """Whether a task of both has the same test examples."""
        return any(self.examples.get(task) == examples for task, examples in other.examples.items())


def earlier_looks(look: Look, known: Iterable[Look]) -> tuple[Look, ...]:
    """Those of the known reports that showed other models on the same examples."""
    return tuple(each for each in known if each.shares_examples_with(look) and not each.is_same_as(look))
