from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import FileError
from phraseproof.instructions.importers.parsing.parse_result import ParseResult
from phraseproof.instructions.importers.parsing.source_files import (
    each_read,
    files_of,
    mapping_in,
    read_json,
    read_python,
)


def test_files_of_a_folder_are_found_once_and_sorted(tmp_path: Path) -> None:
    for name in ("b.json", "a.json", "c.txt", "sub/d.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("[]")
    found = files_of(tmp_path, ["*.json", "a*"], what="file")
    assert [path.name for path in found] == ["a.json", "b.json", "d.json"]
    assert files_of(tmp_path / "c.txt", ["*.json"], what="file") == [tmp_path / "c.txt"]
    with pytest.raises(FileError, match=r"no task file in this folder \(expected \*\.csv or \*\.tsv\)"):
        files_of(tmp_path, ["*.csv", "*.tsv"], what="task file")
    with pytest.raises(FileError, match="no such file or folder"):
        files_of(tmp_path / "absent", ["*"], what="file")


def test_one_of_many_files_may_be_unreadable(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text("[1]")
    bad.write_text("[1,]")
    result = ParseResult()
    assert list(each_read(tmp_path, [bad, good], read_json, result)) == [(good, [1])]
    assert result.files_read == 1
    assert result.refused[0].where == f"{bad}:1"
    with pytest.raises(FileError, match="not valid JSON"):
        list(each_read(bad, [bad], read_json, result))


def test_python_is_parsed_and_not_run(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("raise SystemExit\n")
    assert len(read_python(path).body) == 1
    path.write_text("def\n")
    with pytest.raises(FileError, match=r"a\.py:1: not valid Python"):
        read_python(path)


def test_a_mapping_is_required() -> None:
    assert mapping_in({"a": 1}, "the file", "x.yaml") == {"a": 1}
    with pytest.raises(FileError, match=r"x\.yaml: the file is not a mapping \(got \[1\]\)"):
        mapping_in([1], "the file", "x.yaml")
