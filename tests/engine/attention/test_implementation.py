"""A network names our attention inside the context, and afterwards what it named before."""

from __future__ import annotations

import logging as python_logging
from typing import Any

import pytest
from torch import nn
from transformers import LlavaConfig, LlavaForConditionalGeneration
from transformers.utils import logging

from phraseproof.engine.attention.causal import NAME
from phraseproof.engine.attention.implementation import packed_attention, quiet
from support import tiny_models


def test_a_second_pass_looks_for_no_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    network: Any = tiny_models.llama_network(64)
    before = network.config._attn_implementation
    with packed_attention(network, NAME):
        assert network.config._attn_implementation == NAME
    monkeypatch.setattr(nn.Module, "named_modules", lambda *_, **__: pytest.fail("all modules are searched again"))
    with packed_attention(network, NAME):
        assert network.config._attn_implementation == NAME
    assert network.config._attn_implementation == before


def test_each_part_gets_back_its_own() -> None:
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = {"model_type": "clip_vision_model", "image_size": 8, "patch_size": 4, **sizes}
    text = {"model_type": "llama", "vocab_size": 64, "num_key_value_heads": 2, **sizes}
    shape: Any = LlavaConfig
    network: Any = LlavaForConditionalGeneration(shape(vision_config=vision, text_config=text, image_token_index=63))
    network.set_attn_implementation({"": "sdpa", "text_config": "eager", "vision_config": "sdpa"})
    parts = (network.config, network.config.text_config, network.config.vision_config)
    for _ in range(2):
        with packed_attention(network, NAME):
            assert [config._attn_implementation for config in parts] == [NAME] * 3
        assert [config._attn_implementation for config in parts] == ["sdpa", "eager", "sdpa"]


def test_an_error_changes_nothing() -> None:
    network: Any = tiny_models.llama_network(64)
    before = network.config._attn_implementation
    with pytest.raises(ZeroDivisionError), packed_attention(network, NAME):
        raise ZeroDivisionError
    assert network.config._attn_implementation == before


def test_advice_is_silent_for_a_while_only() -> None:
    before = logging.get_verbosity()
    with quiet(), quiet():
        assert logging.get_verbosity() == python_logging.ERROR
    assert logging.get_verbosity() == before
