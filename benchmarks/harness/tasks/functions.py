"""Python functions of the tasks in this folder, which the harness runs."""

from __future__ import annotations

from typing import Any


def with_right_answers(documents: Any) -> Any:
    """Add the places of the right options."""

    def one(document: Any) -> dict[str, list[int]]:
        values = [value for value in document["target_scores"].values() if value is not None]
        return {"right": [place for place, value in enumerate(values) if value > 0]}

    return documents.map(one)


def question(document: Any) -> str:
    """The prompt of a document."""
    return f"Sentence: {document['input'].strip()}\nKind of statement:"
