"""A data file's rows before they are read as examples: named values, with the place of every row."""

from __future__ import annotations

import io
import math
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import date, time
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NamedTuple, TextIO, cast

from phraseproof.errors import FileError
from phraseproof.files import MARK_BYTES, decoded, encoding_of, read_bytes, require_regular, unreadable


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
        raise _not_utf8(path, data, error) from None
    if not text.strip():
        raise FileError("the file is empty", where=str(path))
    return text


@contextmanager
def opened_text(path: Path) -> Generator[TextIO]:
    """A data file to be read bit by bit, in the encoding and with the errors of `text_of`.

    What is not text in that encoding is found when it is read (UnicodeDecodeError, `not_utf8`).
    """
    try:
        require_regular(path)
        with path.open("rb") as binary:
            beginning = binary.read(MARK_BYTES)
            binary.seek(0)
            with io.TextIOWrapper(binary, encoding_of(beginning), newline="") as stream:
                try:
                    is_empty = not any(line.strip() for line in stream)
                except UnicodeDecodeError:
                    raise not_utf8(path) from None
                if is_empty:
                    raise FileError("the file is empty", where=str(path))
                stream.seek(0)
                yield stream
    except OSError as error:
        raise unreadable(path, error) from None


def not_utf8(path: Path) -> FileError:
    """The error of a file that is not text in its encoding, with the place."""
    data = read_bytes(path)
    try:
        decoded(data)
    except UnicodeDecodeError as error:
        return _not_utf8(path, data, error)
    return FileError("the file was changed while it was read", where=str(path))


def _not_utf8(path: Path, data: bytes, error: UnicodeDecodeError) -> FileError:
    line = data[: error.start].count(b"\n") + 1
    got = f"byte 0x{data[error.start]:02x}"
    return FileError("not UTF-8 text", got=got, where=f"{path}:{line}", hint="Save the file as UTF-8")


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
