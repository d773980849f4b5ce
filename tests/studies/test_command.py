"""The command of a request asks for the same request."""

from __future__ import annotations

import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from phraseproof.cli import main
from phraseproof.models.options import ModelOptions
from phraseproof.studies.command import command
from phraseproof.studies.study import StudyRequest

FULL = StudyRequest(
    models=("pocket", "a model/of 'mine'"),
    tasks=("mmlu", "my tasks.yaml"),
    instructions={"observed": ("a", "b.yaml"), "mine": ("c",)},
    data=(Path("alpaca.json"), Path("more.json")),
    paraphrasers=("org/one", "scripted"),
    paraphraser_args={"answers": "a b.yaml", "seed": "3"},
    pairs=Path("pairs.jsonl"),
    data_dir=Path("data"),
    limit=3,
    max_steps=4,
    gradient_accumulation=1,
    seeds=2,
    seed=5,
    out=Path("other studies"),
    model_options=ModelOptions(
        dtype="float32",
        device="cpu",
        batch_size=4,
        adapter=Path("adapter"),
        revision="main",
        max_length=99,
        args={"backend": "eager", "x": "a b"},
    ),
    prompt_format="plain",
    parameters={"pocket": 700_000},
)
"""Every option that the command has, but runs, which exclude models."""


def asked(words: list[str], monkeypatch: pytest.MonkeyPatch) -> StudyRequest:
    """The request that the command line makes of words."""
    found: list[StudyRequest] = []

    def forecasts(study: Any, request: StudyRequest, **_: Any) -> list[Any]:
        found.append(request)
        return []

    monkeypatch.setattr("phraseproof.studies.carry_out.forecasts", forecasts)
    with pytest.raises(SystemExit) as stopped:
        main([*words[1:], "--dry-run"])
    assert stopped.value.code == 0
    return found[0]


def test_no_option_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(command("table-3", FULL))
    assert words[:3] == ["phraseproof", "study", "table-3"]
    assert asked(words, monkeypatch) == FULL
    runs = StudyRequest(runs=(Path("runs/a"), Path("runs/b c")))
    assert asked(shlex.split(command("table-3", runs)), monkeypatch) == runs


def test_every_field_of_a_request_is_tested() -> None:
    """A new option of studies is added to `FULL`."""
    same = {
        each.name for each in fields(StudyRequest) if getattr(FULL, each.name) == getattr(StudyRequest(), each.name)
    }
    assert same == {"runs"}


def test_defaults_are_left_out() -> None:
    assert command("table-2", StudyRequest()) == "phraseproof study table-2"
    assert command("table-3", StudyRequest(models=("pocket",))) == "phraseproof study table-3 --model pocket"
