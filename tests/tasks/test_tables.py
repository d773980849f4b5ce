"""Data files come back exactly as they were written, with their lines; broken ones are one line."""

from __future__ import annotations

import csv
import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.errors import FileError
from phraseproof.tasks.tables import DataTable, read_table


def read(path: Path) -> DataTable:
    return read_table(path, where="task.yaml:3, data")


text = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["007", "NA", "null", "true", "", " ", "1e5", "\r", "\n", '"', ",", "\t", "\u2028", "nan", "-0", "2020-01-01"]
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(1, 4))
    header = draw(st.lists(text, min_size=width, max_size=width, unique=True))
    rows = draw(st.lists(st.lists(text, min_size=width, max_size=width), min_size=1, max_size=5))
    return [header, *rows]


@given(table=tables(), suffix=st.sampled_from([",", "\t"]), ending=st.sampled_from(["\n", "\r\n"]))
def test_any_csv_of_any_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], suffix: str, ending: str
) -> None:
    path = tmp_path_factory.mktemp("t") / ("rows.csv" if suffix == "," else "rows.tsv")
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream, delimiter=suffix, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows(table)
    found = read(path)
    assert list(found.columns) == table[0]
    assert [[found.cell(row, name) for name in found.columns] for row in range(len(found.rows))] == table[1:]


def test_lines_count_quoted_line_breaks_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('a,b\n\n"one\ntwo",x\n\nthree,y\n')
    table = read(path)
    assert table.lines == (3, 6)
    assert table.where(1) == f"{path}:6"


def test_nothing_in_a_csv_is_guessed(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id,flag,empty,word\n007,true,,NA\n")
    assert read(path).rows == [{"id": "007", "flag": "true", "empty": "", "word": "NA"}]


def test_a_very_long_cell_is_read_and_the_csv_limit_put_back(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    path = tmp_path / "rows.csv"
    path.write_text(f"a\n{'x' * 300_000}\n")
    assert len(str(read(path).rows[0]["a"])) == 300_000
    assert csv.field_size_limit() == before


def test_parquet_brings_its_types_and_nulls_become_empty(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    day = datetime.datetime(2024, 5, 1, tzinfo=datetime.UTC)
    rows = [
        {"t": "007", "n": 3, "l": ["a", "b"], "d": day, "x": Decimal("1.50"), "s": {"k": None}},
        {"t": None, "n": None, "l": None, "d": None, "x": None, "s": None},
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)
    table = read(path)
    values = [table.cell(0, name) for name in table.columns]
    assert values == ["007", 3, ["a", "b"], "2024-05-01 00:00:00+00:00", "1.50", {"k": ""}]
    assert [table.cell(1, name) for name in table.columns] == [""] * 6
    assert table.where(1) == f"{path}, row 1"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.csv", b"", r"rows.csv: the file is empty"),
        ("rows.csv", b"a,b\n", r"rows.csv: the file has no rows"),
        ("rows.csv", b"a,b\n1,2\n1,2,3\n", r"rows.csv:3: the row does not fit the header .expected 2 cells, got 3"),
        ("rows.csv", b'a,b\n"x\ny",2\n1\n', r"rows.csv:4: the row does not fit the header .expected 2 cells, got 1"),
        ("rows.csv", b"a,a\n1,2\n", r"rows.csv:1: the column 'a' is named twice"),
        ("rows.csv", b'a,b\n1,"2\n', r"rows.csv:2: not valid CSV"),
        ("rows.tsv", b'a\tb\n"1"2\t3\n', r"rows.tsv:2: not valid TSV"),
        ("rows.csv", b"a,b\n1,2\n1,\xe9\n", r"rows.csv:3: not UTF-8 text .got byte 0xe9.*Save the file as UTF-8"),
        ("rows.parquet", b"not parquet", r"rows.parquet: not valid Parquet"),
        ("rows.xlsx", b"", r"task.yaml:3, data: unknown kind of data file .expected .csv"),
    ],
)
def test_broken_files_are_one_line(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=message) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named_where_it_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"task.yaml:3, data: no such data file .got .*absent.csv"):
        read(tmp_path / "absent.csv")


@given(st.text(max_size=40))
def test_any_junk_is_an_error_or_a_table(tmp_path_factory: pytest.TempPathFactory, junk: str) -> None:
    folder = tmp_path_factory.mktemp("t")
    for suffix in ("csv", "tsv", "json", "jsonl", "parquet"):
        path = folder / f"rows.{suffix}"
        path.write_bytes(junk.encode(errors="surrogatepass"))
        try:
            outcome = read(path).place
        except FileError as error:
            outcome = str(error)
        assert outcome.startswith(str(path))
        assert "\n" not in outcome


@pytest.mark.parametrize("separator", [";", "\t", "|", ","])
@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv"])
def test_the_header_shows_the_separator(tmp_path: Path, separator: str, name: str) -> None:
    path = tmp_path / name
    path.write_text(f'text{separator}team\n"a, b; c"{separator}x\nd{separator}y\n')
    table = read(path)
    assert table.columns == ("text", "team")
    assert table.rows == [{"text": "a, b; c", "team": "x"}, {"text": "d", "team": "y"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_that_the_file_names_itself(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("a,b\nGr\u00f6\u00dfe,\U0001f600\n".encode(encoding))
    assert read(path).rows == [{"a": "Gr\u00f6\u00dfe", "b": "\U0001f600"}]
