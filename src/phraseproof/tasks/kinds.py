"""Which kind of answers a task's options make it."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.core import Example, Kind
from phraseproof.errors import TaskError


def options_missing(what: str, where: str) -> TaskError:
    """The error for `what` ("BIG-bench tasks without options are") whose source is read only where it has options."""
    kinds = ", ".join(kind for kind in Kind if kind.has_options)
    return TaskError(f"{what} not supported", expected=f"a kind with options: {kinds}", where=where)


def infer_kind(examples: Sequence[Example]) -> Kind:
    """The kind that the options imply: the same labels everywhere are classes, anything else is multiple choice."""
    label_sets = {frozenset(example.choices) for example in examples}
    if len(label_sets) != 1:
        return Kind.MULTIPLE_CHOICE
    return Kind.BINARY if len(label_sets.pop()) == 2 else Kind.MULTI_CLASS
