"""Cells as texts with the numbers of their rows; files that are no tables are refused."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from phraseproof.collect import table_cells
from phraseproof.collect.table_cells import read_sheets
from phraseproof.errors import FileError


def test_a_csv_file_keeps_its_line_numbers(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_bytes('\ufefftask;wording\r\nteams;" two\nlines "\r\n\r\nteams;x;extra\r\n'.encode())
    (sheet,) = read_sheets(path)
    assert sheet.place == str(path)
    assert sheet.rows == [
        (1, ["task", "wording"]),
        (2, ["teams", "two\nlines"]),
        (4, []),
        (5, ["teams", "x", "extra"]),
    ]
    with pytest.raises(FileError, match=r"no sheet is called 'May' \(expected a .xlsx file"):
        read_sheets(path, sheet="May")
    tabs = tmp_path / "w.tsv"
    tabs.write_text("a\tb, c\n", encoding="utf-16")
    assert read_sheets(tabs)[0].rows == [(1, ["a", "b, c"])]


def test_a_spreadsheet_gives_what_a_person_sees(tmp_path: Path) -> None:
    workbook = Workbook()
    first = workbook.active
    assert first is not None
    first.title = "One"
    first.append(["Title"])
    first.append([])
    first.append([1, 2.0, 2.5, True, date(2026, 3, 1), " text_x000D_\r\nmore ", None, "=1+1"])
    workbook.create_sheet("Two").append(["x"])
    path = tmp_path / "w.xlsx"
    workbook.save(path)
    one, two = read_sheets(path)
    assert (one.title, one.place, two.place) == ("One", f"{path}:One", f"{path}:Two")
    assert one.rows[2][0] == 3
    assert one.rows[2][1] == ["1", "2", "2.5", "True", "2026-03-01 00:00:00", "text\nmore", "", ""]
    # A formula has a value once a spreadsheet program has computed it.
    assert dict(one.without_text) == {(3, 7): "the cell holds a formula that was not computed"}
    (only,) = read_sheets(path, sheet="Two")
    assert only.rows == [(1, ["x"])]
    with pytest.raises(FileError, match=r"no sheet is called 'Three' \(expected one of: One, Two\)"):
        read_sheets(path, sheet="Three")


def test_what_is_no_table_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content, problem in (
        ("a.ods", b"", "not a table of wordings"),
        ("b.csv", b"", "the file is empty"),
        ("c.csv", "wörding".encode("latin-1"), "not UTF-8 text"),
        ("d.xlsx", b"no archive", "not a spreadsheet"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FileError, match=problem):
            read_sheets(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "e.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("hello.txt", "x")
    with pytest.raises(FileError, match="not a spreadsheet"):
        read_sheets(tmp_path / "e.xlsx")
    monkeypatch.setattr(table_cells, "MAX_BYTES", 200)
    with zipfile.ZipFile(tmp_path / "f.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", "0" * 5000)
    with pytest.raises(FileError, match="too large"):
        read_sheets(tmp_path / "f.xlsx")
    monkeypatch.setattr(table_cells, "MAX_TABLE_ROWS", 2)
    (tmp_path / "g.csv").write_text("a\nb\nc\n", encoding="utf-8")
    with pytest.raises(FileError, match="the table is too large"):
        read_sheets(tmp_path / "g.csv")
    with pytest.raises(FileError, match="cannot be read"):
        read_sheets(tmp_path / "none.xlsx")


def test_a_quotation_mark_that_is_never_closed_swallows_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_text('wording\n"Which team?\nWho answers?\n', encoding="utf-8")
    with pytest.raises(FileError, match="not a valid table"):
        read_sheets(path)


def _spreadsheet(path: Path) -> dict[str, bytes]:
    workbook = Workbook()
    assert workbook.active is not None
    for text in ("wording", "Which team?", "Who answers?"):
        workbook.active.append([text])
    workbook.save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _write(path: Path, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_rows_beyond_the_size_that_a_sheet_states_are_read(tmp_path: Path) -> None:
    path = tmp_path / "w.xlsx"
    parts = _spreadsheet(path)
    sheet = parts["xl/worksheets/sheet1.xml"]
    assert b'"A1:A3"' in sheet
    _write(path, parts | {"xl/worksheets/sheet1.xml": sheet.replace(b'"A1:A3"', b'"A1"')})
    assert [cells for _, cells in read_sheets(path)[0].rows] == [["wording"], ["Which team?"], ["Who answers?"]]


@pytest.mark.parametrize(
    ("old", "new"), [(b'<row r="2"', b'<row r="x"'), (b'r="A2"', b'r="ZZZZZZ2"'), (b"</sheetData>", b"<")]
)
def test_a_damaged_spreadsheet_is_one_line(tmp_path: Path, old: bytes, new: bytes) -> None:
    path = tmp_path / "w.xlsx"
    parts = _spreadsheet(path)
    sheet = parts["xl/worksheets/sheet1.xml"]
    assert old in sheet
    _write(path, parts | {"xl/worksheets/sheet1.xml": sheet.replace(old, new)})
    with pytest.raises(FileError, match=r"w\.xlsx: the spreadsheet is damaged"):
        read_sheets(path)


def test_an_encrypted_spreadsheet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.xlsx"
    _spreadsheet(path)
    content = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + place] |= 1
            at = content.find(mark, at + 4)
    path.write_bytes(content)
    with pytest.raises(FileError, match="encrypted"):
        read_sheets(path)
