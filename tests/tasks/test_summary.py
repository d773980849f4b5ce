"""Counting a task."""

from __future__ import annotations

import json

from phraseproof.core import Example, Kind, Task
from phraseproof.tasks.summary import summarize


def example(number: int, choices: tuple[str, ...], target: int) -> Example:
    scores = tuple(float(index == target) for index in range(len(choices)))
    return Example(str(number), {"question": f"{number}?"}, choices, scores)


def test_labels_are_counted_by_name_where_all_examples_share_them() -> None:
    examples = (example(0, ("yes", "no"), 0), example(1, ("no", "yes"), 1), example(2, ("yes", "no"), 1))
    summary = summarize(Task("t", Kind.BINARY, "c", examples))
    assert (summary.labels, summary.balance) == (("yes", "no"), {"yes": 2, "no": 1})
    assert summary.majority == 2 / 3
    assert (summary.examples, summary.fields, summary.option_counts) == (3, ("question",), {2: 3})


def test_positions_are_counted_by_letter_where_options_differ() -> None:
    examples = (example(0, ("a", "b"), 1), example(1, ("c", "d", "e"), 1), example(2, ("f", "g"), 0))
    summary = summarize(Task("t", Kind.MULTIPLE_CHOICE, "c", examples))
    assert (summary.labels, summary.balance, summary.option_counts) == ((), {"B": 2, "A": 1}, {2: 2, 3: 1})
    assert json.loads(json.dumps(summary.as_json()))["first"]["choices"] == ["a", "b"]


def test_references_are_counted_and_measured_in_words() -> None:
    examples = (
        Example("0", {"text": "t"}, reference="one two", other_references=("one",)),
        Example("1", {"text": "t"}, reference="one two three four"),
    )
    summary = summarize(Task("t", Kind.SUMMARIZATION, "c", examples))
    assert (summary.reference_counts, summary.reference_words) == ({1: 1, 2: 1}, (1, 2, 4))
    assert (summary.majority, summary.balance, summary.option_counts, summary.labels) == (None, {}, {}, ())
    assert json.loads(json.dumps(summary.as_json()))["first"]["references"] == ["one two", "one"]
