"""Users' data files as rows: CSV, TSV, JSON, JSON Lines and Parquet.

Nothing is guessed: every cell of a CSV or TSV file is text, so that `007`, `NA` and `true` stay what they are and an
empty cell is an empty text. JSON and Parquet bring their own types; a null becomes an empty text.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, cast

from phraseproof.errors import FileError
from phraseproof.files import require_regular, unreadable
from phraseproof.tasks.data_table import DataTable, not_utf8, opened_text
from phraseproof.tasks.json_tables import read_json, read_json_lines

_MAX_CELL_CHARACTERS = 1 << 28
_LONGEST_HEADER = 1 << 20
"""Characters of a file from which its separator is read."""

MAX_COLUMNS = 10_000
"""Of a data file. More are nearly always a table that was written the wrong way round."""


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


class TableRows(NamedTuple):
    """A data file that is read row by row, once.

    Attributes:
        columns: every column that some row has, in order of appearance.
        rows: the rows with the lines on which they begin, from 1; without lines, with their numbers from 1.
    """

    columns: tuple[str, ...]
    rows: Iterator[tuple[int, dict[str, object]]]


def open_rows(path: Path, *, where: str) -> TableRows:
    """The rows of a data file as `read_table` gives them; of CSV, TSV and Parquet, only some are in memory at a time.

    Raises:
        FileError: as `read_table`; what is wrong with a row is raised when it is read.
    """
    usual = {".csv": ",", ".tsv": "\t"}.get(path.suffix.lower())
    if usual is not None and path.exists():
        rows = _delimited_rows(path, usual)
        _, header = next(rows, (0, None))
        if header is None:
            raise FileError("the file has no rows", where=str(path))
        return TableRows(tuple(header), ((line, dict(zip(header, cells, strict=True))) for line, cells in rows))
    if path.suffix.lower() == ".parquet" and path.exists():
        return _parquet_rows(path)
    table = read_table(path, where=where)
    return TableRows(table.columns, zip(table.lines or range(1, len(table.rows) + 1), table.rows, strict=True))


def _read_csv(path: Path) -> DataTable:
    return _read_delimited(path, ",")


def _read_tsv(path: Path) -> DataTable:
    return _read_delimited(path, "\t")


def _read_delimited(path: Path, delimiter: str) -> DataTable:
    found = _delimited_rows(path, delimiter)
    _, header = next(found, (0, []))
    rows: list[dict[str, object]] = []
    lines: list[int] = []
    for line, cells in found:
        rows.append(dict(zip(header, cells, strict=True)))
        lines.append(line)
    return DataTable(tuple(header), rows, str(path), tuple(lines))


def _delimited_rows(path: Path, usual: str) -> Iterator[tuple[int, list[str]]]:
    """The header and the rows, each with the line on which it begins."""
    with opened_text(path) as stream:
        try:
            delimiter = delimiter_of(stream.read(_LONGEST_HEADER), usual)
        except UnicodeDecodeError:
            raise not_utf8(path) from None
        stream.seek(0)
        end_line = 0  # a row with line breaks in quotes spans several lines: it begins after the last one's end
        columns = 0
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        while True:
            limit = csv.field_size_limit(_MAX_CELL_CHARACTERS)  # the module's default refuses long documents
            try:
                cells = next(reader, None)
            except csv.Error as error:
                where = f"{path}:{end_line + 1}"
                raise FileError(f"not valid {path.suffix[1:].upper()}: {error}", where=where) from None
            except UnicodeDecodeError:
                raise not_utf8(path) from None
            finally:
                csv.field_size_limit(limit)
            if cells is None:
                return
            line, end_line = end_line + 1, reader.line_num
            if not cells:  # a blank line
                continue
            if not columns:
                _check_header(cells, f"{path}:{line}")
                columns = len(cells)
            elif len(cells) != columns:
                raise FileError(
                    "the row does not fit the header",
                    expected=f"{columns} cells",
                    got=f"{len(cells)}",
                    where=f"{path}:{line}",
                    hint="A cell that holds the separator, a quote or a line break must be in double quotes",
                )
            yield line, cells


def delimiter_of(text: str, usual: str) -> str:
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


def _read_parquet(path: Path) -> DataTable:
    found = _parquet_rows(path)
    return DataTable(found.columns, [row for _, row in found.rows], str(path))


def _parquet_rows(path: Path) -> TableRows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def invalid(error: Exception) -> FileError:
        return FileError(f"not valid Parquet: {str(error).splitlines()[0]}", where=str(path))

    def rows() -> Iterator[tuple[int, dict[str, object]]]:
        number = 0
        try:
            for batch in file.iter_batches():
                for row in cast(list[dict[str, object]], batch.to_pylist()):
                    number += 1
                    yield number, row
        except (pa.ArrowException, OSError) as error:
            raise invalid(error) from None

    try:
        require_regular(path)
    except OSError as error:
        raise unreadable(path, error) from None
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise invalid(error) from None
    columns: list[str] = list(file.schema_arrow.names)
    _check_header(columns, str(path))
    return TableRows(tuple(columns), rows())


_READERS: dict[str, Callable[[Path], DataTable]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".json": read_json,
    ".jsonl": read_json_lines,
    ".parquet": _read_parquet,
}
