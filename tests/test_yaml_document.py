"""Users' YAML: what is plain is read as it was written, with its lines; anything else is one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phraseproof.errors import FileError
from phraseproof.yaml_document import Document, line_of, load, read_text

# What YAML can hold as text: no surrogates, no control characters (tabs and line ends come back from quotes).
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
KEYS = TEXT | st.integers(-9, 9)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)
SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(folder: Path, text: str) -> Document:
    path = folder / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(FileError) as caught:
        read(folder, text)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line.removeprefix(str(folder / "file.yaml"))


@SHARED_FOLDER
@given(
    value=st.dictionaries(KEYS, PLAIN, min_size=1, max_size=5) | st.lists(PLAIN, min_size=1),
    style=st.sampled_from([None, False, True]),
    unicode=st.booleans(),
)
def test_what_yaml_writes_comes_back(tmp_path: Path, value: Any, style: bool | None, unicode: bool) -> None:
    text = yaml.safe_dump(value, default_flow_style=style, allow_unicode=unicode, sort_keys=False)
    assert read(tmp_path, text).data == value


@SHARED_FOLDER
@given(st.dictionaries(st.text("abcdefg", min_size=1, max_size=5), st.integers(), min_size=1), st.data())
def test_every_value_is_on_its_line(tmp_path: Path, values: dict[str, int], data: st.DataObject) -> None:
    lines: list[str] = []
    wanted: dict[str, int] = {}
    for key, value in values.items():
        lines += data.draw(st.lists(st.sampled_from(["", "# a remark", "   "]), max_size=3))
        lines.append(f"k{key}: {value}")
        wanted[f"k{key}"] = len(lines)
    document = read(tmp_path, "\n".join(lines))
    assert {key: line_of(document, (key,)) for key in wanted} == wanted


def test_lines_of_nested_values(tmp_path: Path) -> None:
    document = read(tmp_path, "name: w\nlist:\n  - id: a\n    text: |\n      one\n      two\n  - {id: b, text: x}\n")
    assert document.lines["list", 0, "text"] == 4
    assert document.lines["list", 1, "id"] == 7
    assert line_of(document, ("list", 1, "missing")) == 7
    assert line_of(document, ("nowhere", "at", "all")) == 1


def test_an_alias_is_read_where_it_stands(tmp_path: Path) -> None:
    document = read(tmp_path, "a: &a [x, y]\nb: *a\n")
    assert document.data == {"a": ["x", "y"], "b": ["x", "y"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", ":1: not valid YAML"),
        ("a: b\nc: d: e\n", ":2: not valid YAML"),
        ("a: 1\nb: 2\na: 3\n", ":3: the key 'a' is given twice"),
        ("a:\n  b: 1\n  b: 1\n", ":3: the key 'b' is given twice"),
        ("{a: 1, a: 1}", ":1: the key 'a' is given twice"),
        ("? [x]\n: 1", ":1: the key ['x'] is not text"),
        ("null: a", ":1: the key None is not text"),
        ("a: 1\n1.5: b", ":2: the key 1.5 is not text"),
        ("", ": the file is empty"),
        ("# only a remark\n", ": the file is empty"),
        ("a: b\n---\nc: d\n", ":2: not valid YAML"),
        ("a: &a [*a]", "refers to itself"),
        ("&a {b: *a}", "refers to itself"),
        ("[" * 5000 + "]" * 5000, "nested too deeply"),
        ("a: !!python/object/apply:os.system ['true']", ":1: not plain YAML"),
        ("a: !mine x", ":1: not plain YAML"),
        ("a: \x07", "not valid YAML"),
        ("a: 1\nb: 2024-13-45\n", ":2: the value looks like a number, date or truth value, but is not"),
        ("2024-13-45: a\n", ":1: the value looks like"),
        ("a: !!int x", ":1: the value looks like"),
        ("a: !!bool x", ":1: the value looks like"),
        ("a: !!timestamp x", ":1: the value looks like"),
        ('"\\ud800": a', ":1: half of a surrogate pair is not text"),
        ('a: "\\ud800"', ":1: half of a surrogate pair is not text"),
    ],
    ids=lambda value: value[:24],
)
def test_what_is_not_plain_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, text)


def test_aliases_of_aliases_do_not_fill_the_memory(tmp_path: Path) -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert "too many values" in refused(tmp_path, "\n".join(["l0: &l0 [lol]", *levels]))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        read_text(tmp_path / "gone.yaml")
    with pytest.raises(FileError, match="not a regular file but a folder"):
        read_text(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("a: b\nc: café\n".encode("latin-1"))
    with pytest.raises(FileError, match=r"latin\.yaml:2: not UTF-8 text \(got byte 0xe9\)"):
        read_text(tmp_path / "latin.yaml")
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbfa: b")
    assert load(tmp_path / "bom.yaml").data == {"a": "b"}


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phraseproof.yaml_document.MAX_BYTES", 10)
    assert "too large (expected at most 10 bytes)" in refused(tmp_path, "a: " + "b" * 20)


@pytest.mark.parametrize("number", ["0x" + "f" * 5000, ":".join(["59"] * 3000), "9" * 5000])
def test_a_number_of_thousands_of_digits_is_one_line(tmp_path: Path, number: str) -> None:
    assert refused(tmp_path, f"name: {number}\n").startswith(":1: the number is too long (expected at most 400")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_names_the_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "file.yaml").write_bytes("name: Gr\u00f6\u00dfe\n".encode(encoding))
    assert load(tmp_path / "file.yaml").data == {"name": "Gr\u00f6\u00dfe"}
