"""What is resolved before a training: its length, its record, and what is left out."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import pytest

from phraseproof.errors import UsageError
from phraseproof.tuning.examples import TuningExample
from phraseproof.tuning.preparation import TuningPreparation, prepare_tuning
from support.tiny_trainings import CPU
from support.tiny_tunings import BRIEF, EXAMPLES, FAMILIES


def prepared(data: Any = EXAMPLES, validation: Any = None, **changes: Any) -> TuningPreparation:
    settings = dataclasses.replace(BRIEF, **changes)
    return prepare_tuning(str(FAMILIES["llama"]()), data, validation or {}, settings, CPU)


def test_the_plan_has_the_steps_of_the_epochs() -> None:
    plan = prepared(keep_epochs=(2,), epochs=3).plan()
    assert (plan.steps, plan.eval_every, plan.warmup_steps) == (9, 3, 3)
    assert plan.exports == {6: "epochs/2"}
    assert prepared(max_steps=2).plan().steps == 2


def test_content_and_validation_identify_the_examples() -> None:
    def section(**changes: Any) -> dict[str, Any]:
        return cast("dict[str, Any]", prepared(**changes).record["examples"])

    assert section() == section()
    other = [dataclasses.replace(EXAMPLES[0], output="D"), *EXAMPLES[1:]]
    assert section()["content"] != section(data=other)["content"]
    assert section(validation={"a": other})["validation"]["a"]["count"] == 10
    record = prepared().run_by(2, "bf16").record
    assert cast("dict[str, Any]", record["settings"])["processes"] == 2


def test_what_is_too_long_is_counted() -> None:
    long = TuningExample("Which letter is correct?", "the " * 600, "A")
    found = prepared(data=[*EXAMPLES, long])
    assert len(found.train.rows) == 10
    assert found.notes == ("1 of 11 examples left out: more than 512 tokens",)
    with pytest.raises(UsageError, match="--validation a: no example is short enough"):
        prepared(validation={"a": [long]})
    with pytest.raises(UsageError, match="--data: there are no examples"):
        prepared(data=[])
