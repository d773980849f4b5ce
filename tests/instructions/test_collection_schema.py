from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

import phraseproof.instructions
from phraseproof.instructions.collections import json_schema

SHIPPED = sorted((Path(phraseproof.instructions.__file__).parent / "data").rglob("*.yaml"))


VALIDATOR = Draft202012Validator(json_schema())


def test_the_schema_is_one_and_describes_every_field() -> None:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    definitions = schema["$defs"]
    assert isinstance(definitions, dict)
    for properties in (schema["properties"], definitions["WordingEntry"]["properties"]):
        assert isinstance(properties, dict)
        assert {"for", "relation", "author", "source", "licence", "fallback"} <= set(properties)
        assert all(field["description"] for field in properties.values())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_collection_fits_the_schema(path: Path) -> None:
    errors = VALIDATOR.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert [error.message for error in errors] == []
