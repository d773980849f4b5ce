"""JSON and JSON Lines come back exactly as they were written, with their lines; broken files are one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.errors import FileError
from phraseproof.tasks.data_table import DataTable
from phraseproof.tasks.json_tables import stream_json
from phraseproof.tasks.tables import read_table


def read(path: Path) -> DataTable:
    return read_table(path, where="task.yaml:3, data")


text = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["null", "", "1e5", "\n", '"', "[", "}", "\u2028", "NaN"]
)
json_values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
json_rows = st.lists(
    st.dictionaries(text, json_values | st.lists(text, max_size=3), min_size=1, max_size=4), min_size=1, max_size=5
)


@given(rows=json_rows, indent=st.none() | st.integers(0, 2), is_ascii=st.booleans(), lines=st.booleans())
def test_any_json_comes_back_with_the_lines_of_its_rows(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, object]],
    indent: int | None,
    is_ascii: bool,
    lines: bool,
) -> None:
    path = tmp_path_factory.mktemp("t") / ("rows.jsonl" if lines else "rows.json")
    if lines:
        content = "\n".join(json.dumps(row, ensure_ascii=is_ascii) for row in rows)
    else:
        content = json.dumps(rows, ensure_ascii=is_ascii, indent=indent)
    path.write_bytes(content.encode())
    table = read(path)
    assert table.rows == rows
    assert all(set(row) <= set(table.columns) for row in rows)
    written = content.split("\n")
    for row, line in zip(rows, table.lines, strict=True):
        assert "{" in written[line - 1]
        if lines:
            assert json.loads(written[line - 1]) == row


def test_json_and_json_lines_under_each_others_names(tmp_path: Path) -> None:
    (tmp_path / "lines.json").write_text('{"a": 1}\n\n{"a": 2}\n')
    (tmp_path / "list.jsonl").write_text('[{"a": 1},\n {"a": 2}]\n')
    assert read(tmp_path / "lines.json").rows == read(tmp_path / "list.jsonl").rows == [{"a": 1}, {"a": 2}]
    assert read(tmp_path / "lines.json").lines == (1, 3)
    assert read(tmp_path / "list.jsonl").lines == (1, 2)


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
@pytest.mark.parametrize(("value", "reason"), [("[" * 99_999, "nested too deeply"), ("9" * 5000, "too many digits")])
def test_json_that_python_gives_up_on_is_one_line(tmp_path: Path, name: str, value: str, reason: str) -> None:
    content = '{"a": ' + value + "}"
    (tmp_path / name).write_text(f"[{content}]" if name.endswith(".json") else content)
    with pytest.raises(FileError, match=f"{name}:1: not valid JSON: .*{reason}"):
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.json", b"{}", r"rows.json:1: not a list of rows"),
        ("rows.json", b"[]", r"the file has no rows"),
        ("rows.json", b'[{"a": 1},\n 3]', r"rows.json:2: a row is not an object"),
        ("rows.json", b'[{"a": 1}\n {"a": 2}]', r"rows.json:2: not valid JSON"),
        ("rows.json", b'[{"a": 1},]', r"rows.json:1: not valid JSON"),
        ("rows.json", b'[{"a": 1},\n{"a": }]', r"rows.json:2: not valid JSON"),
        ("rows.json", b'[{"a": 1}] x', r"rows.json:1: not valid JSON: text after the list"),
        ("rows.json", b'[{"a": NaN}]', r"rows.json:1: not valid JSON: NaN is not JSON"),
        ("rows.json", b'[{"a": 1, "a": 2}]', r"rows.json:1: not valid JSON: a key is given twice"),
        ("rows.json", b"[", r"rows.json:1: not valid JSON"),
        ("rows.jsonl", b'{"a": 1}\n{"a"\n', r"rows.jsonl:2: not valid JSON"),
        ("rows.jsonl", b'{"a": 1}\n\n[1]\n', r"rows.jsonl:3: a row is not an object"),
        ("rows.jsonl", b'{"a": Infinity}\n', r"rows.jsonl:1: not valid JSON: Infinity is not JSON"),
    ],
)
def test_broken_files_are_one_line(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=message) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("chunk", [60, 64, 97, 1000])
def test_a_list_is_streamed_whatever_the_chunks(tmp_path: Path, chunk: int) -> None:
    rows = [{"id": str(n), "text": "a" * n + "é,]}", "list": [n]} for n in range(7)]
    path = tmp_path / "rows.json"
    path.write_text(
        " " + json.dumps(rows, indent=1 if chunk == 64 else None, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    read = stream_json(path, chunk=chunk)
    assert list(read) == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}', "not a list of rows"),
        ('[{"a": 1}, {"a": ', "rows.json, row 1: not valid JSON"),
        ('[{"a": 1}, 3]', "rows.json, row 1: a row is not an object"),
        ('[{"a": "' + 200 * "x" + '"}]', "rows.json, row 0: not valid JSON"),
    ],
)
def test_a_stream_that_is_no_list_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "rows.json"
    path.write_text(text)
    with pytest.raises(FileError, match=message):
        list(stream_json(path, chunk=60))
