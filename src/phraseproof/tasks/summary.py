"""A summary of a loaded task."""

from __future__ import annotations

from collections import Counter
from string import ascii_uppercase
from typing import NamedTuple

from phraseproof.core import Example, Task


class TaskSummary(NamedTuple):
    """A task in numbers.

    Attributes:
        examples, demonstrations: how many of each.
        option_counts: number of options -> number of examples with it.
        labels: the options, where every example has the same ones; else empty.
        balance: right answers by label or, where options differ, by letter, the most frequent first.
        majority: the share of the most frequent right answer, from 0 to 1: the score of the best constant guess.
        fields: the names that templates may use besides the built-in ones.
        first: the first example.
    """

    name: str
    kind: str
    category: str
    source: str
    examples: int
    demonstrations: int
    instructions: int
    option_counts: dict[int, int]
    labels: tuple[str, ...]
    balance: dict[str, int]
    majority: float
    fields: tuple[str, ...]
    first: Example

    def as_json(self) -> dict[str, object]:
        """The summary as plain data."""
        first = {
            "id": self.first.id,
            "fields": dict(self.first.fields),
            "choices": list(self.first.choices),
            "option_scores": list(self.first.option_scores),
        }
        return {**self._asdict(), "labels": list(self.labels), "fields": list(self.fields), "first": first}


def summarize(task: Task) -> TaskSummary:
    """Count a task's examples, options and right answers."""
    label_sets = {frozenset(example.choices) for example in task.examples}
    first = task.examples[0]
    labels = first.choices if len(label_sets) == 1 else ()
    answers = Counter(
        example.choices[example.target] if labels else _letter(example.target) for example in task.examples
    )
    return TaskSummary(
        name=task.name,
        kind=task.kind.value,
        category=task.category,
        source=task.source,
        examples=len(task.examples),
        demonstrations=len(task.demonstrations),
        instructions=len(task.instructions),
        option_counts=dict(sorted(Counter(len(example.choices) for example in task.examples).items())),
        labels=labels,
        balance=dict(answers.most_common()),
        majority=answers.most_common(1)[0][1] / len(task.examples),
        fields=tuple(first.fields),
        first=first,
    )


def _letter(index: int) -> str:
    return ascii_uppercase[index] if index < len(ascii_uppercase) else str(index)
