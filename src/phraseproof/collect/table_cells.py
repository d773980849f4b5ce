"""The cells of a CSV file or a spreadsheet, as texts: sheets of numbered rows."""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, cast

from phraseproof.errors import FileError, MissingExtraError
from phraseproof.files import require_regular, unreadable
from phraseproof.tasks.data_table import text_of
from phraseproof.tasks.tables import delimiter_of

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

MAX_BYTES = 50 << 20
"""The maximum size of a spreadsheet; unpacked it may be ten times as large."""
MAX_TABLE_ROWS = 100_000
"""The maximum number of rows of a table."""
MAX_CELLS = 200
"""The maximum number of cells of a row."""


_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, EOFError, LookupError, ValueError, TypeError, AttributeError, SyntaxError),
    *(ArithmeticError, RuntimeError),
)
"""What zipfile, the XML parser and openpyxl raise for files that are cut, damaged or encrypted."""


class TableSheet(NamedTuple):
    """One sheet.

    Attributes:
        title: the sheet's; empty for a CSV file.
        place: the file, with the sheet where there are several; a row is at `place:number`.
        rows: the number of each row, and its cells as texts without spaces at their ends.
        without_text: what is wrong with cells that show no text, by number of the row and place in it from 0:
            errors of formulas, and formulas that no spreadsheet program has computed.
    """

    title: str
    place: str
    rows: Sequence[tuple[int, list[str]]]
    without_text: Mapping[tuple[int, int], str] = MappingProxyType({})


def read_sheets(path: Path, *, sheet: str | None = None) -> list[TableSheet]:
    """The sheets of a table.

    Args:
        path: a `.csv`, `.tsv` or `.xlsx` file.
        sheet: the title of the one that is read; by default all.

    Raises:
        FileError: the file cannot be read, is too large, or has no such sheet.
        MissingExtraError: a spreadsheet, and openpyxl is not installed.
    """
    suffix = path.suffix.lower()
    if suffix == ".xlsx":
        return list(_sheets(path, sheet))
    if suffix not in {".csv", ".tsv"}:
        raise FileError("not a table of wordings", expected="a .csv, .tsv or .xlsx file", where=str(path))
    if sheet is not None:
        raise FileError(f"no sheet is called {sheet!r}", expected="a .xlsx file, which has sheets", where=str(path))
    return [TableSheet("", str(path), _delimited_rows(path))]


def _delimited_rows(path: Path) -> list[tuple[int, list[str]]]:
    text = text_of(path)
    rows: list[tuple[int, list[str]]] = []
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter_of(text, "\t" if path.suffix.lower() == ".tsv" else ","),
        strict=True,  # a quotation mark that is never closed would swallow the rows below it
    )
    end = 0
    try:
        for cells in reader:  # a row with line breaks in quotes begins after the last one's end
            rows.append((end + 1, [cell.strip() for cell in cells]))
            end = reader.line_num
            _check_size(len(rows), len(cells), f"{path}:{end}")
    except csv.Error as error:
        raise FileError(f"not a valid table: {error}", where=f"{path}:{end + 1}") from None
    return rows


def _sheets(path: Path, only: str | None) -> Iterator[TableSheet]:
    try:
        from openpyxl import load_workbook
        from openpyxl.utils.exceptions import InvalidFileException
    except ImportError:
        raise MissingExtraError("reading a spreadsheet", extra="collect", package="openpyxl") from None
    try:
        require_regular(path, max_bytes=MAX_BYTES)
        with zipfile.ZipFile(path) as archive:
            size = sum(each.file_size for each in archive.infolist())
        if size > 10 * MAX_BYTES:
            raise FileError("the spreadsheet is too large", got=f"{size} bytes unpacked", where=str(path))
        workbook, sources = (
            load_workbook(path, read_only=True, data_only=values, keep_links=False) for values in (True, False)
        )
    except OSError as error:
        raise unreadable(path, error) from None
    except (InvalidFileException, *_DAMAGED) as error:
        raise FileError(f"not a spreadsheet: {error}", where=str(path)) from None
    try:
        names: list[str] = [each.title for each in workbook.worksheets]
        if only is not None and only not in names:
            raise FileError(f"no sheet is called {only!r}", expected=f"one of: {', '.join(names)}", where=str(path))
        for worksheet in workbook.worksheets:
            if only in {None, worksheet.title}:
                place = str(path) if len(names) == 1 else f"{path}:{worksheet.title}"
                yield _sheet(worksheet.title, place, workbook, sources)
    except _DAMAGED as error:
        raise FileError(f"the spreadsheet is damaged: {error}", where=str(path)) from None
    finally:
        workbook.close()
        sources.close()


def _sheet(title: str, place: str, workbook: Workbook, sources: Workbook) -> TableSheet:
    """One sheet, from the file's values and from its formulas."""
    computed, written = (cast("ReadOnlyWorksheet", each[title]) for each in (workbook, sources))
    for each in (computed, written):  # the size that a file states may be too small, and cells beyond it would be lost
        each.reset_dimensions()
    rows: list[tuple[int, list[str]]] = []
    without_text: dict[tuple[int, int], str] = {}
    for number, (cells, formulas) in enumerate(zip(computed.iter_rows(), written.iter_rows(), strict=True), start=1):
        _check_size(number, len(cells), f"{place}:{number}")
        rows.append((number, [_cell_text(cell.value) for cell in cells]))
        for at, (cell, formula) in enumerate(zip(cells, formulas, strict=True)):
            if cell.data_type == "e":
                without_text[number, at] = f"the cell shows the error {cell.value}"
            elif formula.data_type == "f" and cell.value is None:
                without_text[number, at] = "the cell holds a formula that was not computed"
    return TableSheet(title, place, rows, without_text)


def _cell_text(value: object) -> str:
    """A cell as a person sees it; whole numbers without a decimal point."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # XML has no carriage return: spreadsheet programs write _x000D_.
    return re.sub(r"(?:_x000D_|\r)(?=\r?\n|$)", "", str(value)).strip()


def _check_size(rows: int, cells: int, where: str) -> None:
    if rows > MAX_TABLE_ROWS or cells > MAX_CELLS:
        raise FileError(
            "the table is too large", expected=f"at most {MAX_TABLE_ROWS} rows of {MAX_CELLS} cells", where=where
        )
