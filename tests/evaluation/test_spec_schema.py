"""The schema of config files accepts what the spec writes, and refuses what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from phraseproof.errors import UsageError
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.evaluation.spec_schema import json_schema
from phraseproof.models import ModelOptions

FULL = EvaluationSpec().with_changes(
    model="google/flan-t5-base",
    model_options=ModelOptions(dtype="bfloat16", adapter=Path("adapters/a"), args={"seed": "3"}),
    tasks="mmlu, bbl",
    instructions={"mine": [Path("mine.yaml"), "composed"], "others": "flan"},
    data_dir="data",
    num_fewshot=[0, 5],
    fewshot_seeds=3,
    fewshot_draws=4,
    option_orders=2,
    budget="7%",
    rescore_ties=True,
)


def test_the_schema_accepts_what_the_spec_writes() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(FULL.model_dump(mode="json"))
    validator.validate({"tasks": "mmlu,bbl", "num_fewshot": 5, "instructions": {"mine": "my.yaml"}, "budget": "5%"})


@pytest.mark.parametrize("wrong", [{"limt": 3}, {"budget": "five"}, {"model_options": {"dtyp": "x"}}, {"tasks": 3}])
def test_the_schema_refuses_what_the_spec_refuses(wrong: dict[str, Any]) -> None:
    assert list(jsonschema.Draft202012Validator(json_schema()).iter_errors(wrong))
    with pytest.raises(UsageError):
        EvaluationSpec().with_changes(**wrong)
