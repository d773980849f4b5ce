"""What a training can start from, before any weights are loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from phraseproof.alignment.initial_adapter import find_initial_adapter
from phraseproof.alignment.method import Trained
from phraseproof.errors import ModelError, UsageError


def write(folder: Path, kind: str, value: float = 1.0, base: str = "base") -> Path:
    folder.mkdir()
    config = {"peft_type": kind, "task_type": "CAUSAL_LM", "base_model_name_or_path": base}
    config |= {"num_virtual_tokens": 2} if kind == "PROMPT_TUNING" else {"r": 2, "target_modules": ["q"]}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    save_file({"prompt_embeddings": torch.full((2, 3), value)}, folder / "adapter_model.safetensors")
    return folder


def test_it_is_identified_by_its_weights(tmp_path: Path) -> None:
    names = {
        name: find_initial_adapter(str(write(tmp_path / name, "PROMPT_TUNING", value, name)), "prompt")
        for name, value in (("a", 1.0), ("b", 1.0), ("c", 2.0))
    }
    identities = {name: found.identity for name, found in names.items() if found is not None}
    assert identities["a"] == identities["b"] != identities["c"]
    assert identities["a"].startswith("adapter ")


@pytest.mark.parametrize(
    ("kind", "trains", "message"),
    [
        (
            "PROMPT_TUNING",
            "lora",
            r"of another kind .* \(expected a low-rank adapter \(LORA\), got PROMPT_TUNING\)",
        ),
        ("LORA", "prompt", r"of another kind than what is trained \(expected a soft prompt, got LORA\)"),
    ],
)
def test_another_kind_is_refused(kind: str, trains: Trained, message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"^--init: .*{message}"):
        find_initial_adapter(str(write(tmp_path / "a", kind)), trains)


def test_what_is_no_adapter_is_refused(tmp_path: Path) -> None:
    assert find_initial_adapter("some text", "prompt") is None
    assert find_initial_adapter("random-vocabulary", "weights") is None
    with pytest.raises(UsageError, match=r"^--init: a low-rank adapter starts at zero, or from another adapter"):
        find_initial_adapter("some text", "dora")
    with pytest.raises(UsageError, match=r"^--init: the setting does not apply .* as --model"):
        find_initial_adapter("some text", "weights")
    with pytest.raises(ModelError, match=r"^--init: '.*' is not an adapter folder"):
        find_initial_adapter(str(tmp_path), "lora")
