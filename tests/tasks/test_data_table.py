"""Values of a row as plain data, by name and by path."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from phraseproof.errors import FileError
from phraseproof.tasks.data_table import DataTable
from phraseproof.tasks.tables import read_table


def read(path: Path) -> DataTable:
    return read_table(path, where="task.yaml:3, data")


@pytest.mark.parametrize(("value", "expected"), [(math.nan, ""), (math.inf, "inf"), (1.5, 1.5)])
def test_floats_can_be_hashed(tmp_path: Path, value: float, expected: object) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"v": [value]}), path)
    assert read(path).cell(0, "v") == expected


@pytest.mark.parametrize("value", ['"a \\ud83d b"', '["x", "\\ud83d"]', '{"\\ud83d": 1}'])
def test_half_a_character_is_no_text(tmp_path: Path, value: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"v": "whole \\ud83d\\ude00"}}\n{{"v": {value}}}\n')
    table = read(path)
    assert table.cell(0, "v") == "whole \U0001f600"
    with pytest.raises(FileError, match=r"rows\.jsonl:2, v: half of a surrogate pair is not text .got \\ud83d"):
        table.cell(1, "v")


def test_bytes_are_no_value(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"v": [b"raw"]}), path)
    with pytest.raises(FileError, match=r"row 0, v: a value is neither text, number, list nor mapping .got bytes"):
        read(path).cell(0, "v")


def test_a_json_row_that_lacks_a_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1, "b": 2}\n{"a": 3}\n')
    table = read(path)
    with pytest.raises(FileError, match=r"rows.jsonl:2: the row has no 'b'"):
        table.cell(1, "b")


def test_paths_lead_into_mappings_and_lists(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    row = {"q": {"stem": "why?", "choices": [{"text": "a"}, {"text": "b"}]}, "x.y": 1, "x": {"y": 2}}
    path.write_text(json.dumps(row) + "\n")
    table = read(path)
    assert table.cell(0, "q.stem") == "why?"
    assert table.cell(0, "q.choices.text") == ["a", "b"]
    assert table.cell(0, "x.y") == 1
    assert [table.has(name) for name in ("q.stem", "q.label", "q.choices.label", "z.a")] == [True, False, False, False]
