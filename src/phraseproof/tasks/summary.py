"""A summary of a loaded task."""

from __future__ import annotations

from collections import Counter
from statistics import median
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
        majority: the share of the most frequent right answer, from 0 to 1: the score of the best constant guess; `None`
            for free text.
        reference_counts: number of reference texts -> number of examples with it; empty for tasks with options.
        reference_words: the smallest, median and largest number of words of a reference; `None` for tasks with options.
        fields: the names that templates may use besides the built-in ones.
        metric, stop, max_new_tokens: how its designer scores and ends answers (`AnswerRules`), if the task says so.
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
    majority: float | None
    reference_counts: dict[int, int]
    reference_words: tuple[int, float, int] | None
    fields: tuple[str, ...]
    metric: str | None
    stop: tuple[str, ...]
    max_new_tokens: int | None
    first: Example

    def as_json(self) -> dict[str, object]:
        """The summary as plain data."""
        first = {
            "id": self.first.id,
            "fields": dict(self.first.fields),
            "choices": list(self.first.choices),
            "option_scores": list(self.first.option_scores),
            "references": list(self.first.references),
        }
        return {
            **self._asdict(),
            "labels": list(self.labels),
            "fields": list(self.fields),
            "stop": list(self.stop),
            "first": first,
        }


def summarize(task: Task) -> TaskSummary:
    """Count a task's examples, options, right answers and references."""
    first = task.examples[0]
    with_options = [example for example in task.examples if example.choices]
    labels = first.choices if len({frozenset(example.choices) for example in task.examples}) == 1 else ()
    answers = Counter(
        example.choices[example.target] if labels else _letter(example.target) for example in with_options
    )
    references = Counter(len(example.references) for example in task.examples if example.references)
    words = [len(text.split()) for example in task.examples for text in example.references]
    return TaskSummary(
        name=task.name,
        kind=task.kind.value,
        category=task.category,
        source=task.source,
        examples=len(task.examples),
        demonstrations=len(task.demonstrations),
        instructions=len(task.instructions),
        option_counts=dict(sorted(Counter(len(example.choices) for example in with_options).items())),
        labels=labels,
        balance=dict(answers.most_common()),
        majority=answers.most_common(1)[0][1] / len(task.examples) if answers else None,
        reference_counts=dict(sorted(references.items())),
        reference_words=(min(words), median(words), max(words)) if words else None,
        fields=tuple(first.fields),
        metric=task.answers.metric,
        stop=task.answers.stop,
        max_new_tokens=task.answers.max_new_tokens,
        first=first,
    )


def _letter(index: int) -> str:
    return ascii_uppercase[index] if index < len(ascii_uppercase) else str(index)
