"""Users' data files as rows: CSV, TSV, JSON, JSON Lines and Parquet.

Nothing is guessed: every cell of a CSV or TSV file is text, so that `007`, `NA` and `true` stay what they are and an
empty cell is an empty text. JSON and Parquet bring their own types; a null becomes an empty text.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import cast

from phraseproof.errors import FileError
from phraseproof.files import require_regular, unreadable
from phraseproof.tasks.data_table import DataTable, text_of
from phraseproof.tasks.json_tables import read_json, read_json_lines

_MAX_CELL_CHARACTERS = 1 << 28
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


def _read_csv(path: Path) -> DataTable:
    return _read_delimited(path, ",")


def _read_tsv(path: Path) -> DataTable:
    return _read_delimited(path, "\t")


def _read_delimited(path: Path, delimiter: str) -> DataTable:
    text = text_of(path)
    delimiter = delimiter_of(text, delimiter)
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
    ".json": read_json,
    ".jsonl": read_json_lines,
    ".parquet": _read_parquet,
}
