from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from phraseproof.cli import app
from phraseproof.errors import PhraseproofError
from phraseproof.instructions.collection_file import read_file
from phraseproof.instructions.collections import json_schema

VALIDATOR = Draft202012Validator(json_schema())
WORDING = {"id": "one", "ask": "Which team?", "layout": "{{ message }}"}


def write(folder: Path, **wording: object) -> tuple[Path, Any]:
    content = {"name": "mine", "instructions": [WORDING | wording]}
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path, content


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"answer": "letter"},
        {"answer": ["no", "yes"]},
        {"answer": {"billing": "a bill"}},
        {"for": "mmlu", "order": "ask-last", "separator": "\n"},
        {"for": ["mmlu", "binary"], "fallback": True, "relation": "closest"},
        {"target_delimiter": ""},
        {"fewshot_delimiter": "\n###\n"},
        {"continuation": "{{ rest }}"},
        {"system": "You sort mail. Teams: {{ choices | join(', ') }}"},
        {"answer_prefix": ""},
    ],
)
def test_what_the_schema_allows_is_read(tmp_path: Path, change: dict[str, object]) -> None:
    path, content = write(tmp_path, **change)
    assert VALIDATOR.is_valid(content)
    assert read_file(path).instructions[0].id == "one"


@pytest.mark.parametrize(
    "change",
    [
        {"ask": 3},
        {"answer": []},
        {"answer": {}},
        {"answer": 7},
        {"for": {"task": "mmlu"}},
        {"order": "last"},
        {"relation": "near"},
        {"fallback": "yes"},
        {"target_delimiter": 1},
        {"fewshot_delimiter": ["a"]},
        {"system": ["a"]},
        {"prefix": "x"},
    ],
)
def test_what_the_schema_refuses_is_not_read(tmp_path: Path, change: dict[str, object]) -> None:
    path, content = write(tmp_path, **change)
    assert not VALIDATOR.is_valid(content)
    with pytest.raises(PhraseproofError):
        read_file(path)


def test_the_former_name_of_the_target_delimiter_is_read(tmp_path: Path) -> None:
    new = read_file(write(tmp_path, target_delimiter="\n")[0])
    old = read_file(write(tmp_path, answer_prefix="\n")[0])
    assert new == old
    assert old.instructions[0].target_delimiter == "\n"
    with pytest.raises(PhraseproofError, match="answer_prefix"):
        read_file(write(tmp_path, target_delimiter="\n", answer_prefix=" ")[0])
    path, _ = write(tmp_path, answer_prefix=1)
    with pytest.raises(PhraseproofError, match=r"mine\.yaml:\d+, instructions\.0\.answer_prefix"):
        read_file(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("my prompts.txt", "Classify: {{ text }}\n"),
        ("w.csv", "text\nClassify {text}\n"),
        ("w.json", '[{"text": "Say {text}"}]'),
    ],
)
def test_a_list_of_wordings_is_refused_by_the_command_that_makes_a_collection_of_it(
    tmp_path: Path, name: str, content: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(PhraseproofError, match=r"a list, not a collection of wordings") as refusal:
        read_file(path)
    command = shlex.split(str(refusal.value).split("`")[1])[1:]
    assert CliRunner().invoke(app, [*command, "--out", str(tmp_path / "made")]).exit_code == 0
    made = next((tmp_path / "made").rglob("*.yaml"))
    assert len(read_file(made).instructions) == 1


def test_rows_of_other_kinds_are_no_collection(tmp_path: Path) -> None:
    path = tmp_path / "w.jsonl"
    path.write_text('{"text": "Say"}\n{"text": "Tell"}\n', encoding="utf-8")
    with pytest.raises(PhraseproofError, match=r"a list, .*docs/wordings\.md shows one"):
        read_file(path)
