"""JSON as readers of logs see it: types are checked before they are used."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import FileError
from phraseproof.logs.cells import beginning, data_hash, mapping, number, section, sequence, short, whole


def test_types_are_checked() -> None:
    assert mapping({"a": 1}, "f") == {"a": 1}
    assert sequence([1], "f") == [1]
    assert section({"a": {"b": 1}, "c": None}, "a", "f") == {"b": 1}
    assert section({"c": None}, "c", "f") == section({}, "c", "f") == {}
    for read, value in ((mapping, [1]), (sequence, {"a": 1}), (mapping, "text")):
        with pytest.raises(FileError, match="f: not as this tool writes it"):
            read(value, "f")
    with pytest.raises(FileError, match="f, a: "):
        section({"a": 3}, "a", "f")


def test_whole_numbers() -> None:
    assert [whole(each) for each in (3, 0, -1, 2.5, True, "4", None)] == [3, 0, 0, 0, 0, 0, 0]
    assert whole(None, 5) == 5


def test_values_in_messages_are_short() -> None:
    assert short("a") == "'a'"
    assert len(short("a" * 100)) == 60


def test_data_with_any_number_has_a_hash() -> None:
    values = [{"a": 1, "b": [None]}, {"a": float("nan")}, {"a": float("inf")}, {"a": 1}]
    assert len({data_hash(value) for value in values}) == 4
    assert data_hash({"a": 1, "b": 2}) == data_hash({"b": 2, "a": 1})


def test_numbers() -> None:
    assert [number(each) for each in (2, 0.5, True, "1", None, 10**400)] == [2.0, 0.5, 1.0, None, None, None]
    assert whole(10**400, 1) == 1


def test_the_beginning_of_what_is_no_file_is_empty(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert [beginning(tmp_path / name, 2) for name in ("f", "none", ".")] == [b"ab", b"", b""]
