"""Requests: names go into the spec, Python objects stay beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from phraseproof.core import Example, Kind, Task
from phraseproof.evaluation.request import EvaluationRequest
from phraseproof.instructions.collections import load_collection
from phraseproof.models.scripted import ScriptedModel

TASK = Task(
    "color", Kind.MULTIPLE_CHOICE, "color", (Example("1", {"question": "Which?"}, ("red", "blue"), (1.0, 0.0)),)
)


def test_names_and_paths_need_no_objects() -> None:
    request = EvaluationRequest.of("scripted", ["mmlu", Path("t.yaml")], {"mine": "composed,flan"}, limit=3)
    assert (request.model, request.tasks, request.collections) == (None, {}, {})
    assert request.spec.tasks == ("mmlu", "t.yaml")
    assert request.spec.instructions == {"mine": ("composed", "flan")}
    assert request.spec.limit == 3


def test_objects_are_named_in_their_order() -> None:
    model, wordings = ScriptedModel(), load_collection("pocket-test")
    request = EvaluationRequest.of(model, ["mmlu", TASK], {"mine": [wordings, "composed"], "again": wordings})
    assert request.spec.model == "python:scripted"
    assert request.spec.tasks == ("mmlu", "python:color")
    assert request.spec.instructions == {"mine": ("python:pocket-test", "composed"), "again": ("python:pocket-test",)}
    assert request.model is model
    assert request.tasks["python:color"] is TASK
    assert request.collections["python:pocket-test"] is wordings


def test_two_objects_of_one_name_have_two_names() -> None:
    other = replace(TASK, category="else")
    request = EvaluationRequest.of("scripted", [TASK, other], {"mine": "composed"})
    assert [request.tasks[name] for name in request.spec.tasks] == [TASK, other]
