"""`phraseproof schema`: schemas that are valid, and that what we ship and read fits."""

from __future__ import annotations

import json
from dataclasses import fields
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml

from phraseproof.models import ModelOptions
from support.command_line import run_command

SHIPPED = sorted(
    path
    for folder in ("phraseproof.instructions", "phraseproof.pocket")
    for path in Path(str(resources.files(folder))).rglob("*.yaml")
)
OLD = Path(__file__).parents[1] / "support" / "old_run"


def validator(capsys: pytest.CaptureFixture[str], name: str) -> jsonschema.Draft202012Validator:
    done = run_command(capsys, "schema", name)
    assert done.code == 0
    schema = json.loads(done.out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_shipped_collections_fit(capsys: pytest.CaptureFixture[str]) -> None:
    found = validator(capsys, "collection")
    collections = {
        path: data for path in SHIPPED if "instructions" in (data := yaml.safe_load(path.read_text("utf-8")))
    }
    assert len(collections) > 5
    for path, data in collections.items():
        assert [error.message for error in found.iter_errors(data)] == [], path
    assert list(found.iter_errors({"name": "w", "instructions": [{"id": "a", "tempalte": "x"}]}))


def test_task_files_fit(capsys: pytest.CaptureFixture[str]) -> None:
    found = validator(capsys, "task")
    found.validate(yaml.safe_load((OLD / "task.yaml").read_text("utf-8")))
    assert list(found.iter_errors({"name": "t", "kind": "sorting", "data": "t.csv"}))


def test_config_files_fit(capsys: pytest.CaptureFixture[str]) -> None:
    found = validator(capsys, "run")
    found.validate(yaml.safe_load(run_command(capsys, "config", str(OLD / "run")).out))
    assert list(found.iter_errors({"modle": "x"}))


def test_another_name_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    done = run_command(capsys, "schema", "tasks")
    assert done.code == 2
    assert done.err.count("\n") == 1


def test_every_field_and_every_model_option_of_a_run_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.loads(run_command(capsys, "schema", "run").out)
    options = schema["$defs"]["ModelOptions"]
    assert set(options["properties"]) == {field.name for field in fields(ModelOptions)}
    described = {**schema["properties"], **options["properties"]}
    assert [name for name, field in described.items() if len(field.get("description", "")) < 20] == []
    assert "cuda:1" in options["properties"]["device"]["description"]
    assert options["properties"]["device"]["description"].endswith("several, separated by commas.")
    assert "Attributes" not in json.dumps(schema)
