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
from phraseproof.hardening.harden import harden
from phraseproof.hardening.settings import HardenSettings
from phraseproof.instructions.collections import Collection
from support.harden_data import make_task, make_wordings


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []

    def record(*arguments: Any, **options: Any) -> None:
        found.append((arguments, options))

    monkeypatch.setattr(importlib.import_module("phraseproof.hardening.harden"), "run_hardening", record)
    return found


def test_without_settings_it_runs_with_the_defaults(calls: list[Any], tmp_path: Path) -> None:
    task, collection = make_task(), Collection("mine", make_wordings(4))
    harden("some/model", [task], [collection], tmp_path)
    ((arguments, options),) = calls
    assert arguments == ("some/model", [task], [collection], tmp_path, HardenSettings())
    assert options["observers"] == (None, None)


def test_one_seed_is_that_of_the_splits_and_of_the_training(calls: list[Any], tmp_path: Path) -> None:
    harden("some/model", "pocket/label-maker", "pocket-test,pocket-observed", str(tmp_path), seed=7, lambda_=0.5)
    ((arguments, _),) = calls
    _, tasks, collections, out, settings = arguments
    assert [task.name for task in tasks] == ["pocket/label-maker"]
    assert [collection.name for collection in collections] == ["pocket-test", "pocket-observed"]
    assert out == tmp_path
    assert settings == HardenSettings(alignment=AlignmentSettings("lora+paft+choice", seed=7, lambda_=0.5), seed=7)


def test_the_method_that_is_named_is_trained(calls: list[Any], tmp_path: Path) -> None:
    harden("some/model", "pocket/label-maker", "pocket-test", tmp_path, method="pt+kl")
    ((arguments, _),) = calls
    assert arguments[-1].alignment == AlignmentSettings()


def test_help_documents_every_parameter() -> None:
    documented = inspect.getdoc(harden) or ""
    assert [name for name in inspect.signature(harden).parameters if f"    {name}: " not in documented] == []


def test_every_setting_of_the_loop_is_a_parameter() -> None:
    settings = {field.name for field in dataclasses.fields(HardenSettings)} - {"alignment"}
    assert settings <= inspect.signature(harden).parameters.keys()


def test_at_the_top_level_it_stays_a_function() -> None:
    """A room called `harden` would replace the function once it is imported."""
    assert phraseproof.harden is phraseproof.harden is harden
