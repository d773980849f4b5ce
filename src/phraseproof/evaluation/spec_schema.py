"""The JSON Schema of config files, from `EvaluationSpec`. Apart, because specs need no YAML parser."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, cast

from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.options import ModelOptions
from phraseproof.typed_yaml import JSON_SCHEMA

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue


def json_schema() -> dict[str, object]:
    """The JSON Schema (draft 2020-12) of the files that `evaluate --config` reads."""
    found: dict[str, object] = {"$schema": JSON_SCHEMA, **EvaluationSpec.model_json_schema()}
    # A schema describes files, so the docstrings of the classes, which are for programmers, are replaced.
    found["description"] = "A config file of phraseproof evaluate."
    options: JsonSchemaValue = cast("dict[str, JsonSchemaValue]", found["$defs"])[ModelOptions.__name__]
    options["description"] = "How the model is loaded."
    for name, text in _attribute_texts(ModelOptions).items():
        options["properties"][name]["description"] = text
    return found


def _attribute_texts(described: type) -> dict[str, str]:
    """What a class's docstring says of each attribute: `ModelOptions` imports no pydantic to describe its fields."""
    _, _, attributes = inspect.cleandoc(described.__doc__ or "").partition("Attributes:\n")
    found = re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", attributes, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}
