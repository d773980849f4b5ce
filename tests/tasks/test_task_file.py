from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from phraseproof.errors import FileError
from phraseproof.tasks.user_files import json_schema, load_file

TASK = {
    "name": "tickets",
    "kind": "multi_class",
    "data": "tickets.csv",
    "choices": ["billing", "bug"],
    "answer": "team",
}
ROWS = (
    "body,team,options,A,B\nCharged twice.,billing,billing|bug,billing,bug\nIt crashes.,bug,billing|bug,billing,bug\n"
)

VALID = [
    {},
    {"fields": {"message": "body"}, "category": "Support", "id": "body"},
    {"choices": {"column": "options", "separator": "|"}},
    {"choices": {"columns": ["A", "B"]}},
    {"answer": {"column": "team", "as": "text"}},
    {"demonstrations": {"first": 1}},
    {"demonstrations": "tickets.csv"},
    {"demonstrations": None},
]
INVALID = [
    {"kind": "essay"},
    {"name": "a name"},
    {"colour": "red"},
    {"choices": {"column": "options", "separator": ""}},
    {"choices": {"columns": ["A"]}},
    {"answer": {"column": "team", "as": "word"}},
    {"answer": ["team"]},
    {"data": {"split": "test"}},
    {"demonstrations": {"first": 0}},
    {"fields": {}},
]


def errors_of(task: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(json_schema()).iter_errors(task)]


def test_the_schema_is_one_and_describes_every_field() -> None:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    properties = schema["properties"]
    assert isinstance(properties, dict)
    assert set(properties) == {
        *("name", "kind", "category", "data", "fields", "choices", "answer", "id", "demonstrations")
    }
    assert all(field["description"] for field in properties.values())
    assert Draft202012Validator(schema).is_valid(TASK)


@pytest.mark.parametrize("change", VALID)
def test_what_the_schema_allows_is_loaded(tmp_path: Path, change: dict[str, object]) -> None:
    (tmp_path / "tickets.csv").write_text(ROWS, encoding="utf-8")
    path = tmp_path / "tickets.yaml"
    path.write_text(yaml.safe_dump(TASK | change), encoding="utf-8")
    assert errors_of(TASK | change) == []
    assert load_file(path).examples[-1].id in {"1", "It crashes."}


@pytest.mark.parametrize("change", INVALID)
def test_what_the_schema_refuses_is_not_loaded(tmp_path: Path, change: dict[str, object]) -> None:
    (tmp_path / "tickets.csv").write_text(ROWS, encoding="utf-8")
    path = tmp_path / "tickets.yaml"
    path.write_text(yaml.safe_dump(TASK | change), encoding="utf-8")
    assert errors_of(TASK | change)
    with pytest.raises(FileError):
        load_file(path)
