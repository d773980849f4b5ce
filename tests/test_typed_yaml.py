"""Users' YAML as a model: what does not fit is named with line and field, and a text is what the file has."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field

from phraseproof.errors import FileError
from phraseproof.typed_yaml import StrictModel, parse
from phraseproof.yaml_document import Document, load


def read(folder: Path, text: str) -> Document:
    path = folder / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


class Inner(StrictModel):
    text: str
    size: int = 0


class Outer(StrictModel):
    name: str
    inner: tuple[Inner, ...] = Field(default=(), strict=False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: x\ncolour: red\n", ":2, colour: unknown field 'colour' (got 'red'). Known fields: name, inner"),
        ("nmae: x\n", "Did you mean 'name'? Known fields: name, inner"),
        ("name: x\ninner:\n  - txt: a\n", "Did you mean 'text'? Known fields: text, size"),
        ("name: [3]\n", ":1, name: not text (got [3])"),
        ("name: x\ninner: [{text: a, size: b}]\n", ":2, inner.0.size: not a whole number (got 'b')"),
        ("inner: []\n", ":1, name: the field 'name' is missing"),
        ("name: {a: 1}\n", ":1, name: "),
        ("name: x\ninner:\n  - text: a\n  - size: 3\n", ":4, inner.1.text: the field 'text' is missing"),
        ("name: x\ninner:\n  - text: a\n    size: large\n", ":4, inner.0.size: "),
        ("- a\n", ":1: not a mapping of fields to values (as in `name: value`) (got ['a'])"),
    ],
)
def test_what_does_not_fit_is_named_with_line_and_field(tmp_path: Path, text: str, said: str) -> None:
    document = read(tmp_path, text)
    with pytest.raises(FileError) as caught:
        parse(document, tmp_path / "file.yaml", Outer)
    assert said in str(caught.value)


def test_what_fits_is_read(tmp_path: Path) -> None:
    document = read(tmp_path, "name: x\ninner: [{text: a, size: 3}]\n")
    assert parse(document, tmp_path / "file.yaml", Outer) == Outer(name="x", inner=(Inner(text="a", size=3),))


class _Texts(StrictModel):
    one: str
    many: list[str] = Field(default_factory=list)
    named: dict[str, str | None] = Field(default_factory=dict)


@pytest.mark.parametrize(
    "text", ["yes", "No", "010", "0x1f", "1_000", "12:30", "2024-05-01", "1.0", "1e3", ".inf", "3"]
)
def test_where_a_text_is_meant_it_is_what_the_file_has(tmp_path: Path, text: str) -> None:
    document = read(tmp_path, f"one: {text}\nmany: [{text}, '{text}']\nnamed: {{a: {text}, b: null}}\n")
    found = parse(document, tmp_path / "file.yaml", _Texts)
    assert found == _Texts(one=text, many=[text, text], named={"a": text, "b": None})
