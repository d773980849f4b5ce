"""The function with every setting as a parameter."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

import phraseproof
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.hardening.search_settings import SearchSettings
from phraseproof.instructions.collections import Collection
from phraseproof.reduction.compare_methods import compare_methods
from support.harden_data import make_task, make_wordings


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []

    def record(*arguments: Any, **options: Any) -> None:
        found.append((arguments, options))

    monkeypatch.setattr(importlib.import_module("phraseproof.reduction.compare_methods"), "search_and_keep", record)
    return found


def test_without_settings_it_runs_with_the_defaults(calls: list[Any], tmp_path: Path) -> None:
    task, collection = make_task(), Collection("mine", make_wordings(4))
    compare_methods("some/model", [task], [collection], tmp_path, methods="pt, lora+kl")
    ((arguments, _),) = calls
    model, given, out, settings = arguments
    assert (model, out, list(given.tasks), given.collections) == ("some/model", tmp_path, [task], [collection])
    assert settings == SearchSettings(("pt", "lora+kl"))
    compare_methods("some/model", [task], [collection], tmp_path)
    assert calls[1][0][3] == SearchSettings(("auto",))


def test_rates_of_all_methods_or_by_name(calls: list[Any], tmp_path: Path) -> None:
    common = AlignmentSettings(max_steps=5, held_out_fraction=0.0)
    for rates in ((1e-3, 2e-3), {"prompt": [1e-3]}):
        compare_methods(
            "m", [make_task()], "pocket-test", tmp_path, methods=["pt"], rates=rates, alignment=common,
            unseen_tasks="pocket/has-price", wording_shares=(0.5, 0.2, 0.3),
        )  # fmt: skip
    settings = [arguments[3] for arguments, _ in calls]
    assert [each.rates for each in settings] == [{"": (1e-3, 2e-3)}, {"prompt": (1e-3,)}]
    assert settings[0].alignment == common
    assert settings[0].wording_shares.test == 0.3
    assert [task.name for task in calls[0][0][1].unseen] == ["pocket/has-price"]


def test_help_documents_every_parameter() -> None:
    documented = " ".join((inspect.getdoc(compare_methods) or "").split())
    for name in inspect.signature(compare_methods).parameters:
        assert f" {name}: " in documented or f" {name}, " in documented, name


def test_every_setting_of_the_search_is_a_parameter() -> None:
    settings = {field.name for field in dataclasses.fields(SearchSettings)}
    assert settings <= inspect.signature(compare_methods).parameters.keys()
    assert phraseproof.compare_methods is compare_methods
