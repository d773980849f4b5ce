"""A data file's rows before they are read as examples: named values, with the place of every row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NamedTuple, cast

from phraseproof.errors import FileError
from phraseproof.files import decoded, read_bytes, unreadable


class DataTable(NamedTuple):
    """Rows of named values.

    Attributes:
        columns: every column that some row has, in order of appearance.
        rows: one mapping per row; a JSON object may lack columns.
        place: the file or hub split, for messages.
        lines: the line on which each row begins, from 1; empty where the format has no lines.
    """

    columns: tuple[str, ...]
    rows: list[dict[str, object]]
    place: str
    lines: tuple[int, ...] = ()

    def where(self, row: int) -> str:
        """`file:line` of a row, or its number from 0."""
        return f"{self.place}:{self.lines[row]}" if self.lines else f"{self.place}, row {row}"

    def require(self, column: str, where: str) -> None:
        """Raise a FileError, with the place `where` the column is named, unless some row has it."""
        if not self.has(column):
            close = get_close_matches(column, self.columns, n=1)
            raise FileError(
                f"{self.place} has no column {column!r}",
                expected=f"one of: {', '.join(self.columns)}",
                where=where,
                hint=f"Did you mean {close[0]!r}?" if close else None,
            )

    def has(self, column: str) -> bool:
        """Whether some row has the column, or the value in one that a path such as `choices.text` names."""
        return column in self.columns or any(_at_path(values, column) is not _ABSENT for values in self.rows)

    def cell(self, row: int, column: str) -> object:
        """One value as plain data, or a FileError that names the row."""
        values = self.rows[row]
        if column not in values:
            nested = _at_path(values, column)
            if nested is not _ABSENT:
                return _plain(nested, f"{self.where(row)}, {column}")
            raise FileError(f"the row has no {column!r}", got=", ".join(values), where=self.where(row))
        return _plain(values[column], f"{self.where(row)}, {column}")


def table_of(rows: list[dict[str, object]], place: str, lines: tuple[int, ...] = ()) -> DataTable:
    """A table of rows that are mappings already."""
    return DataTable(tuple(dict.fromkeys(name for row in rows for name in row)), rows, place, lines)


def text_of(path: Path) -> str:
    """The text of a data file, or a FileError: it cannot be read, is empty or is not UTF-8."""
    try:
        data = read_bytes(path)
    except OSError as error:
        raise unreadable(path, error) from None
    try:
        text = decoded(data)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise FileError(
            "not UTF-8 text",
            got=f"byte 0x{data[error.start]:02x}",
            where=f"{path}:{line}",
            hint="Save the file as UTF-8",
        ) from None
    if not text.strip():
        raise FileError("the file is empty", where=str(path))
    return text


_ABSENT: Final = object()


def _at_path(value: object, path: str) -> object:
    """The value at a path of keys: in a list, that of every item."""
    if isinstance(value, list):
        found = [_at_path(item, path) for item in cast(list[object], value)]
        return found if found and all(item is not _ABSENT for item in found) else _ABSENT
    if not isinstance(value, Mapping):
        return _ABSENT
    values = cast(Mapping[str, object], value)
    if path in values:
        return values[path]
    key, dot, rest = path.partition(".")
    return _at_path(values[key], rest) if dot and key in values else _ABSENT


def _plain(value: object, where: str) -> object:
    """Text, numbers, lists and mappings; what is neither has no form that a prompt or a hash could hold."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        return _whole(value, where)
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, float | date | time | Decimal):  # datetime is a date
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(item, where) for item in cast(list[object], value)]
    if isinstance(value, Mapping):
        entries = cast(Mapping[object, object], value).items()
        return {_whole(str(key), where): _plain(item, where) for key, item in entries}
    raise FileError("a value is neither text, number, list nor mapping", got=type(value).__name__, where=where)


def _whole(text: str, where: str) -> str:
    """JSON can spell half a character (`\\ud83d` alone), which neither a tokenizer nor a Parquet file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = ascii(text[error.start])[1:-1]
        raise FileError("half of a surrogate pair is not text", got=half, where=where) from None
    return text
