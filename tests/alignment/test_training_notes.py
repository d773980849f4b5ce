"""What a training says before its first step."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, cast

from phraseproof.alignment.pairs.tokens import prompts_of
from phraseproof.core import ScoresOptions
from phraseproof.models import load_model
from support import tiny_models
from support.tiny_pairs import shared_wordings
from support.tiny_trainings import CPU, Watcher, train


def test_the_length_and_what_was_assumed(tmp_path: Path) -> None:
    watcher = Watcher()
    train(tiny_models.tiny_llama(), tmp_path, observer=watcher, max_steps=1, learning_rate=None)
    assert watcher.notes == [
        "2 of 6 pairs are drawn; whether the others fit the model is not checked",
        "1 step of 2 batches: each of 6 pairs 0.333 times; 2 held out, under 1 wording that training does not use",
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


def test_how_good_the_reference_is_where_the_loss_pulls_towards_it(tmp_path: Path) -> None:
    model = tiny_models.tiny_llama()
    pairs = [dataclasses.replace(pair, options=tuple("ABCD"), task="facts") for pair in shared_wordings(12)]
    prompts = [prompts_of(pair, prompt_format="plain", options=pair.options)[0] for pair in pairs]
    scored = cast("ScoresOptions", load_model(str(model), CPU)).score_options(prompts)
    right = sum(
        each.logprobs["ABCD".index(pair.target)] == max(each.logprobs) for pair, each in zip(pairs, scored, strict=True)
    )
    said = f"facts: the reference wording is right on {right / 12:.1%} of 12 labelled pairs, chance 25.0%"
    found: dict[str, Watcher] = {}
    for name, changes in {"kl": {}, "none": {"method": "pt"}, "zero": {"lambda_": 0.0}}.items():
        found[name] = Watcher()
        settings: dict[str, Any] = {"pairs": pairs, "max_steps": 1, "prompt_format": "plain", **changes}
        train(model, tmp_path / name, observer=found[name], **settings)
    assert said in found["kl"].notes
    assert any("the reference wording is not shown to be better than chance" in each for each in found["kl"].warnings)
    assert not [note for name in ("none", "zero") for note in found[name].notes if "reference" in note]
