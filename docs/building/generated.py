"""Tables of the pages that are made of the code: the columns of stored outcomes, and the sections of `run.json`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable

from phraseproof.core import Cell, Outcome
from phraseproof.store.run_schema import json_schema
from phraseproof.store.schema import COLUMNS


def outcome_columns() -> str:
    """The columns of stored outcomes, with Arrow's types and what the dataclasses say of each."""
    texts = attribute_texts(Cell) | attribute_texts(Outcome)
    rows = [(f"`{column.name}`", _type(str(column.type)), texts[column.name]) for column in COLUMNS]
    return table(("column", "type", "holds"), rows)


def run_file_sections() -> str:
    """The sections of `run.json`, as readers check them."""
    properties: dict[str, dict[str, str]] = json_schema()["properties"]
    return table(("section", "holds"), [(f"`{name}`", found["description"]) for name, found in properties.items()])


def attribute_texts(described: type) -> dict[str, str]:
    """What a class's docstring says of each attribute, without links to files of the source.

    Attributes that share a text (`low, high: ...`) each have it.
    """
    _, _, attributes = inspect.cleandoc(described.__doc__ or "").partition("Attributes:\n")
    found = re.findall(r"^    ([\w, ]+): (.+(?:\n {8}.+)*)", attributes, re.MULTILINE)
    return {name: " ".join(text.split()) for names, text in found for name in re.split(r", ?", names)}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown; bars in cells are escaped."""
    lines = [list(head)]
    lines.append(["---"] * len(lines[0]))
    lines += [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _type(arrow: str) -> str:
    inner = re.fullmatch(r"list<\w+: (\w+)>", arrow)
    return f"list of {inner[1]}" if inner else arrow


TABLES: dict[str, Callable[[], str]] = {"outcome columns": outcome_columns, "sections of run.json": run_file_sections}
"""The tables by the name in the comment above them."""
