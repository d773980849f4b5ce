"""`vllm/NAME`: what is refused before the engine starts, and how options reach it."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from phraseproof.errors import MissingExtraError, ModelError, UsageError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.vllm import provider
from phraseproof.models.vllm.engine import EngineSettings
from support.tiny_models import tiny_llama, tiny_t5


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if vLLM were installed: nothing here starts it."""
    version = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "1.2.3" if name == "vllm" else version(name))


def test_without_the_package_one_line_says_how_to_get_it() -> None:
    try:
        metadata.version("vllm")
    except metadata.PackageNotFoundError:
        with pytest.raises(MissingExtraError, match=r"package vllm.*pip install 'phraseproof\[vllm\]'"):
            load_model(f"vllm/{tiny_llama()}")
    else:
        pytest.skip("vLLM is installed here")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch_size": 4}, "--batch-size"),
        ({"device": "mps"}, "device 'mps'"),
        ({"args": {"gpu_memory_utilization": "7"}}, "a number above 0 and at most 1"),
        ({"args": {"gpu_memory_utilization": "much"}}, "a number above 0 and at most 1"),
        ({"args": {"max_num_seqs": "0"}}, "max_num_seqs"),
        ({"args": {"max_nums_seqs": "4"}}, "Did you mean 'max_num_seqs'"),
        ({"args": {"attn_implementation": "eager"}}, "unknown model argument"),
    ],
)
def test_options_that_it_does_not_have(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load_model(f"vllm/{tiny_llama()}", ModelOptions(**options))


@pytest.mark.usefixtures("installed")
def test_encoder_decoders_and_empty_names_are_refused() -> None:
    with pytest.raises(ModelError, match="encoder-decoder"):
        load_model(f"vllm/{tiny_t5()}")
    with pytest.raises(UsageError, match="name is empty"):
        load_model("vllm/")


@pytest.mark.usefixtures("installed")
def test_an_adapter_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not an adapter folder"):
        load_model(f"vllm/{tiny_llama()}", ModelOptions(adapter=tmp_path))


@pytest.mark.usefixtures("installed")
def test_a_model_is_known_before_the_engine_starts() -> None:
    model = load_model(f"vllm/{tiny_llama()}", ModelOptions(args={"max_length": "32", "dtype": "bfloat16"}))
    assert model.identity.settings == {"engine": "vllm 1.2.3", "max_length": "32"}
    assert model.identity.dtype == "bfloat16"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("rank", "args", "expected"),
    [(16, {}, None), (17, {}, 32), (64, {}, 64), (24, {"max_lora_rank": "128"}, 128)],
)
def test_the_engine_takes_the_rank_of_the_adapter(
    rank: int, args: dict[str, str], expected: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": rank}))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"w")
    started: list[EngineSettings] = []
    monkeypatch.setattr(provider, "VllmEngine", started.append)
    load_model(f"vllm/{tiny_llama()}", ModelOptions(adapter=tmp_path, args=args))
    assert [each.more.get("max_lora_rank") for each in started] == [expected]
