"""The reference texts of every row of a user's free-text data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from phraseproof.errors import FileError
from phraseproof.tasks.data_table import DataTable


def references_of_rows(table: DataTable, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """The references of every row, at least one, in the order of the columns and of the lists in them.

    Args:
        table: the data.
        columns: each holds a text or a list of texts; where there are several, all but one may be empty in a row.

    Raises:
        FileError: a row without a reference, or a value that is not text.
    """
    return [_references(table, row, columns) for row in range(len(table.rows))]


def _references(table: DataTable, row: int, columns: Sequence[str]) -> tuple[str, ...]:
    found: list[str] = []
    for column in columns:
        value = table.cell(row, column)
        where = f"{table.where(row)}, {column}"
        items = cast("list[object]", value) if isinstance(value, list) else [value]
        texts = [_text(item, where) for item in items]
        if isinstance(value, list) and not all(texts):
            raise FileError("a reference in the list is empty", where=where)
        found += [text for text in texts if text]
    if not found:
        raise FileError("the row has no reference text", where=f"{table.where(row)}, {', '.join(columns)}")
    return tuple(found)


def _text(value: object, where: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()  # as JSON writes it
    if not isinstance(value, str | int | float):
        raise FileError(
            "a reference is not text", expected="a text or a list of texts", got=repr(value)[:60], where=where
        )
    return str(value) if str(value).strip() else ""
