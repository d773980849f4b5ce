"""Users' data files as rows: CSV, TSV, JSON, JSON Lines and Parquet, with the line of every row.

Nothing is guessed: every cell of a CSV or TSV file is text, so that `007`, `NA` and `true` stay what they are and an
empty cell is an empty text. JSON and Parquet bring their own types; a null becomes an empty text.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NamedTuple, NoReturn, cast

from phraseproof.errors import FileError
from phraseproof.files import decoded, read_bytes, require_regular, unreadable

_MAX_CELL_CHARACTERS = 1 << 28
MAX_COLUMNS = 10_000
"""Of a data file. More are nearly always a table that was written the wrong way round."""


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


def read_table(path: Path, *, where: str) -> DataTable:
    """The rows of a data file, by its extension.

    Args:
        where: the place that names the file, for messages about the name itself.

    Raises:
        FileError: no such file, an unknown extension, or a file that is empty or not in its format.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise FileError("unknown kind of data file", expected=", ".join(_READERS), got=path.name, where=where)
    if not path.exists():
        raise FileError("no such data file", got=str(path), where=where)
    table = reader(path)
    if not table.rows:
        raise FileError("the file has no rows", where=str(path))
    return table


def table_of(rows: list[dict[str, object]], place: str, lines: tuple[int, ...] = ()) -> DataTable:
    """A table of rows that are mappings already."""
    return DataTable(tuple(dict.fromkeys(name for row in rows for name in row)), rows, place, lines)


def _text(path: Path) -> str:
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


# ------------------------------------------------------------------------------------------------------------ csv, tsv


def _read_csv(path: Path) -> DataTable:
    return _read_delimited(path, ",")


def _read_tsv(path: Path) -> DataTable:
    return _read_delimited(path, "\t")


def _read_delimited(path: Path, delimiter: str) -> DataTable:
    text = _text(path)
    delimiter = _delimiter(text, delimiter)
    stream = io.StringIO(text, newline="")
    limit = csv.field_size_limit(_MAX_CELL_CHARACTERS)  # the module's default refuses long documents
    end_line = 0  # a row with line breaks in quotes spans several lines: it begins after the last one's end
    header: list[str] | None = None
    rows: list[dict[str, object]] = []
    lines: list[int] = []
    try:
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        for cells in reader:
            line, end_line = end_line + 1, reader.line_num
            if not cells:  # a blank line
                continue
            if header is None:
                header = cells
                _check_header(header, f"{path}:{line}")
            elif len(cells) != len(header):
                raise FileError(
                    "the row does not fit the header",
                    expected=f"{len(header)} cells",
                    got=f"{len(cells)}",
                    where=f"{path}:{line}",
                    hint="A cell that holds the separator, a quote or a line break must be in double quotes",
                )
            else:
                rows.append(dict(zip(header, cells, strict=True)))
                lines.append(line)
    except csv.Error as error:
        raise FileError(f"not valid {path.suffix[1:].upper()}: {error}", where=f"{path}:{end_line + 1}") from None
    finally:
        csv.field_size_limit(limit)
    return DataTable(tuple(header or ()), rows, str(path), tuple(lines))


def _delimiter(text: str, usual: str) -> str:
    """The separator of a file: the usual one, unless the header is one cell by it and several by another."""
    for delimiter in (usual, *(other for other in ",;\t|" if other != usual)):
        try:
            rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            header = next((cells for cells in rows if cells), [])
        except csv.Error:
            continue
        if len(header) > 1:
            return delimiter
    return usual


def _check_header(header: list[str], where: str) -> None:
    if len(header) > MAX_COLUMNS:
        raise FileError("too many columns", expected=f"at most {MAX_COLUMNS}", got=str(len(header)), where=where)
    repeated = next((name for name, count in Counter(header).items() if count > 1), None)
    if repeated is not None:
        raise FileError(f"the column {repeated!r} is named twice", where=where)


# --------------------------------------------------------------------------------------------------------- json, jsonl


def _read_json(path: Path) -> DataTable:
    text = _text(path)
    decoder = _decoder(path)
    rows: list[dict[str, object]] = []
    lines: list[int] = []
    position, line = _skip_blank(text, 0, 1)
    if text[position] == "{" and _is_json_lines(text):
        return _read_jsonl(path)
    if text[position] != "[":
        raise FileError("not a list of rows", expected="[{...}, {...}]", where=f"{path}:{line}")
    position, line = _skip_blank(text, position + 1, line)
    while text[position : position + 1] != "]":
        value, end = _decode(decoder, text, position, path)
        rows.append(_row(value, f"{path}:{line}"))
        lines.append(line)
        position, line = _skip_blank(text, end, line + text.count("\n", position, end))
        if text[position : position + 1] == ",":
            position, line = _skip_blank(text, position + 1, line)
            if text[position : position + 1] != "]":
                continue
        elif text[position : position + 1] == "]":
            break
        raise FileError("not valid JSON: expected ',' and a row, or ']'", where=f"{path}:{line}")
    rest, line = _skip_blank(text, position + 1, line)
    if rest != len(text):
        raise FileError("not valid JSON: text after the list", where=f"{path}:{line}")
    return table_of(rows, str(path), tuple(lines))


def _is_json_lines(text: str) -> bool:
    """Whether a text is several objects, each on a separate line."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return len(lines) > 1 and all(line.startswith("{") and line.endswith("}") for line in lines)


def _read_jsonl(path: Path) -> DataTable:
    text = _text(path)
    if text.lstrip().startswith("["):
        return _read_json(path)
    decoder = _decoder(path)
    rows: list[dict[str, object]] = []
    lines: list[int] = []
    # Only a line feed ends a row: other line separators may be inside JSON strings.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = decoder.decode(line)
        except json.JSONDecodeError as error:
            raise FileError(f"not valid JSON: {error.msg}", where=f"{path}:{number}") from None
        except (ValueError, RecursionError) as error:
            raise FileError(f"not valid JSON: {_reason(error)}", where=f"{path}:{number}") from None
        rows.append(_row(value, f"{path}:{number}"))
        lines.append(number)
    return table_of(rows, str(path), tuple(lines))


class _JsonError(ValueError):
    """What Python's parser lets through, and we do not."""


def _decoder(path: Path) -> json.JSONDecoder:
    del path

    def refuse(constant: str) -> NoReturn:
        raise _JsonError(f"{constant} is not JSON")

    def to_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
        result = dict(pairs)
        if len(result) < len(pairs):
            raise _JsonError("a key is given twice")
        return result

    return json.JSONDecoder(parse_constant=refuse, object_pairs_hook=to_object)


def _decode(decoder: json.JSONDecoder, text: str, position: int, path: Path) -> tuple[object, int]:
    try:
        return decoder.raw_decode(text, position)
    except json.JSONDecodeError as error:
        raise FileError(f"not valid JSON: {error.msg}", where=f"{path}:{error.lineno}") from None
    except (ValueError, RecursionError) as error:
        line = text.count("\n", 0, position) + 1
        raise FileError(f"not valid JSON: {_reason(error)}", where=f"{path}:{line}") from None


def _reason(error: Exception) -> str:
    """What is wrong with JSON that Python's parser lets through, or gives up on."""
    if isinstance(error, _JsonError):
        return str(error)
    return "nested too deeply" if isinstance(error, RecursionError) else "a number has too many digits"


def _skip_blank(text: str, position: int, line: int) -> tuple[int, int]:
    while position < len(text) and text[position] in " \t\r\n":
        line += text[position] == "\n"
        position += 1
    return position, line


def _row(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise FileError("a row is not an object", expected="{column: value, ...}", got=repr(value)[:60], where=where)
    return cast(dict[str, object], value)


# ------------------------------------------------------------------------------------------------------------- parquet


def _read_parquet(path: Path) -> DataTable:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        require_regular(path)
    except OSError as error:
        raise unreadable(path, error) from None
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise FileError(f"not valid Parquet: {str(error).splitlines()[0]}", where=str(path)) from None
    columns: list[str] = list(table.column_names)
    _check_header(columns, str(path))
    return DataTable(tuple(columns), cast(list[dict[str, object]], table.to_pylist()), str(path))


_READERS: dict[str, Callable[[Path], DataTable]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".json": _read_json,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}


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
