"""Adapters of a model in vLLM are checked before the engine starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.errors import ModelError
from phraseproof.models.vllm.adapter import VllmAdapter


def write(folder: Path, config: str, weights: bytes = b"w") -> Path:
    (folder / "adapter_config.json").write_text(config)
    (folder / "adapter_model.safetensors").write_bytes(weights)
    return folder


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ('{"peft_type": "IA3"}', r"LoRA adapters and soft prompts at the input only.*got IA3"),
        ('{"peft_type": "PREFIX_TUNING"}', r"soft prompts at the input only.*got PREFIX_TUNING"),
        ('{"peft_type": "LORA", "use_dora": true}', r"vLLM does not take DoRA adapters.*--merge"),
        ("[]", r"LoRA adapters and soft prompts at the input only.*got None"),
        ("{", "configuration cannot be read"),
    ],
)
def test_other_kinds_are_refused(tmp_path: Path, config: str, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        VllmAdapter(write(tmp_path, config))


def test_a_folder_without_weights_is_no_adapter(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="not an adapter folder"):
        VllmAdapter(tmp_path)


def test_the_largest_rank_is_that_of_any_layer(tmp_path: Path) -> None:
    config = {"peft_type": "LORA", "use_dora": False, "r": 8, "rank_pattern": {}}
    assert VllmAdapter(write(tmp_path, json.dumps(config))).largest_rank == 8
    config["rank_pattern"] = {"layers.1.self_attn.q_proj": 24}
    assert VllmAdapter(write(tmp_path, json.dumps(config))).largest_rank == 24


def test_the_hash_follows_the_content(tmp_path: Path) -> None:
    config = json.dumps({"peft_type": "LORA"})
    first = VllmAdapter(write(tmp_path, config)).content_hash
    assert VllmAdapter(write(tmp_path, config)).content_hash == first
    assert VllmAdapter(write(tmp_path, config, b"v")).content_hash != first
