"""The spec: one frozen value that survives JSON and pickling, with every default of an evaluation."""

from __future__ import annotations

import inspect
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import phraseproof
from phraseproof.errors import UsageError
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.evaluation.spec_types import read_share
from phraseproof.models import ModelOptions


def make(**fields: Any) -> EvaluationSpec:
    return EvaluationSpec(**fields)


FULL = make(
    model="google/flan-t5-base",
    model_options=ModelOptions(dtype="bfloat16", adapter=Path("adapters/a"), args={"seed": "3"}),
    tasks="mmlu, bbl",
    instructions={"mine": [Path("mine.yaml"), "composed"], "others": "flan"},
    data_dir="data",
    num_fewshot=[0, 5],
    fewshot_seeds=3,
    budget="7%",
    rescore_ties=True,
)


def test_names_and_numbers_are_read_in_every_form() -> None:
    assert FULL.tasks == ("mmlu", "bbl")
    assert FULL.instructions == {"mine": ("mine.yaml", "composed"), "others": ("flan",)}
    assert (FULL.num_fewshot, FULL.fewshot_seeds, FULL.budget) == ((0, 5), (3,), pytest.approx(0.07))
    assert FULL.data_dir == Path("data")


def test_it_survives_json_and_pickling() -> None:
    data = json.loads(json.dumps(FULL.model_dump(mode="json")))
    assert data["budget"] == "7%"
    assert EvaluationSpec.model_validate(data) == FULL
    assert pickle.loads(pickle.dumps(FULL)) == FULL


@pytest.mark.parametrize("percent", ["0.1%", "7%", "12.5%", "33.3333333%", "100%"])
def test_a_budget_is_written_as_it_was_read(percent: str) -> None:
    assert make(budget=percent).model_dump(mode="json")["budget"] == percent
    assert make(budget=read_share(percent)) == make(budget=percent)


def test_it_is_frozen_and_changes_make_another_one() -> None:
    with pytest.raises(ValidationError):
        FULL.limit = 3  # pyright: ignore[reportAttributeAccessIssue] - this is the test
    changed = FULL.with_changes(limit=3)
    assert (changed.limit, FULL.limit) == (3, None)
    assert changed.with_changes(limit=None) == FULL


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"limit": 0}, "--limit: cannot evaluate on so few examples: expected at least 1 (got 0)"),
        ({"limit": True}, "--limit: the value should be a valid integer (got True)"),
        ({"seed": "1"}, "--seed: the value should be a valid integer (got '1')"),
        ({"num_fewshot": ()}, "--num-fewshot: numbers that cannot be used"),
        ({"fewshot_seeds": (1, 1)}, "--fewshot-seed: numbers that cannot be used"),
        ({"budget": 1.5}, "--budget: not a share of the grid"),
        ({"prompt_format": "xml"}, "--prompt-format: the value should be 'auto', 'plain', 'alpaca' or 'chat'"),
        ({"self_test": 1}, "--no-self-test: the value should be a valid boolean"),
        ({"limt": 3}, "unknown option 'limt' (expected one of: budget, data_dir,"),
        ({"model_options": {"dtyp": "x"}}, "unknown option 'dtyp' (expected one of: dtype, device,"),
    ],
)
def test_what_it_cannot_be_is_one_line(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        EvaluationSpec().with_changes(**wrong)
    assert str(caught.value).startswith(message)


def test_python_takes_every_field_and_its_default() -> None:
    parameters = inspect.signature(phraseproof.evaluate).parameters
    names = {"fewshot_seed" if name == "fewshot_seeds" else name for name in EvaluationSpec.model_fields}
    assert names == parameters.keys() - {"out", "observer", "workers"}
    defaults = EvaluationSpec()
    for name in names - {"model", "tasks", "instructions"}:
        assert parameters[name].default == getattr(defaults, "fewshot_seeds" if name == "fewshot_seed" else name), name
    forecasted = inspect.signature(phraseproof.forecast).parameters
    assert forecasted == {name: value for name, value in parameters.items() if name != "workers"}


def test_settings_of_texts_are_in_the_identity_where_they_are_on() -> None:
    assert make().generation == {"temperature": 0.0, "max_new_tokens": 256, "seed": 0}
    drawn = make(temperature=1, top_p=0.9, top_k=40, stop="\n")
    assert drawn.generation == {
        "temperature": 1.0,
        "max_new_tokens": 256,
        "seed": 0,
        "top_p": 0.9,
        "top_k": 40,
        "stop": ["\n"],
    }
    reasoned = make(reasoning=True, extract=" last_line ")
    assert reasoned.generation == {
        "temperature": 0.0,
        "max_new_tokens": 1024,
        "seed": 0,
        "reasoning": reasoned.reasoning_sentence,
    }
    assert reasoned.extract == "last_line"
    assert make(reasoning="Think.", max_new_tokens=9).generation["reasoning"] == "Think."
    assert make(reasoning="Think.", max_new_tokens=9).answer_limit == 9
    assert make(scoring=r"generate:regex:a{1,2},paper").scorings == ("generate:regex:a{1,2}", "paper")
    assert EvaluationSpec.model_validate(json.loads(json.dumps(drawn.model_dump(mode="json")))) == drawn


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"top_p": 0.0}, "--gen-kwargs top_p"),
        ({"top_p": 1.5}, "--gen-kwargs top_p"),
        ({"top_k": -1}, "--gen-kwargs top_k"),
        ({"stop": ["a", ""]}, "--stop"),
    ],
)
def test_settings_of_texts_out_of_range(fields: dict[str, Any], where: str) -> None:
    with pytest.raises(UsageError) as caught:
        make(**fields)
    assert caught.value.where == where
