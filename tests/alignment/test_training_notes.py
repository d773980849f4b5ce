"""What a training says before its first step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support import tiny_models
from support.tiny_trainings import Watcher, train


def test_the_length_and_what_was_assumed(tmp_path: Path) -> None:
    watcher = Watcher()
    train(tiny_models.tiny_llama(), tmp_path, observer=watcher, max_steps=1, learning_rate=None)
    assert watcher.notes == [
        "2 of 6 pairs are drawn; whether the others fit the model is not checked",
        "1 steps of 2 batches: each of 6 pairs 0.333 times; 2 held out, under 1 wording that training does not use",
        "learning rate 0.0005, the default of pt+kl",
    ]


def test_what_is_not_known_of_an_initial_adapter_is_said(tmp_path: Path) -> None:
    train(tiny_models.tiny_llama(), tmp_path / "first", max_steps=1)
    record = tmp_path / "first" / "phraseproof.json"
    text = record.read_text()
    revision = json.loads(text)["base_model"]["revision"]
    watcher = Watcher()
    record.write_text(text.replace(revision, "0" * len(revision)))
    changes: dict[str, Any] = {"init": str(tmp_path / "first"), "max_steps": 1, "observer": watcher}
    train(tiny_models.tiny_llama(), tmp_path / "a", **changes)
    assert any("was trained on other weights than those of" in warning for warning in watcher.warnings)
    record.unlink()
    watcher.warnings.clear()
    train(tiny_models.tiny_llama(), tmp_path / "b", **changes)
    assert any("has no record of its training" in warning for warning in watcher.warnings)
