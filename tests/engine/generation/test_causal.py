"""Texts of decoder-only networks: each token's logits against a plain pass over the whole text alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from phraseproof.engine.generation.causal import CausalTextDecoder
from phraseproof.engine.generation.slot_cache import SharedBeginning
from phraseproof.engine.generation.texts import PlannedText
from phraseproof.engine.packed_causal_lm import VirtualTokens
from phraseproof.engine.plan.request import Request
from phraseproof.engine.probe import probe_causal_lm
from support import tiny_models

SHARED, STEPS = 19, 4
BUILDERS = [tiny_models.tiny_llama, tiny_models.tiny_gpt2, tiny_models.tiny_gpt_neox, tiny_models.tiny_gemma2]


def network_of(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def contexts() -> list[list[int]]:
    """Two that share a beginning longer than Gemma's window, and one that shares nothing."""
    draw = np.random.default_rng(0)
    beginning = draw.integers(5, 400, size=SHARED).tolist()
    return [[*beginning, *draw.integers(5, 400, size=size).tolist()] for size in (3, 6)] + [
        draw.integers(5, 400, size=12).tolist()
    ]


@pytest.mark.parametrize("build", BUILDERS, ids=["llama", "gpt2", "gpt-neox", "gemma2 with windows"])
def test_logits_are_those_of_each_text_alone(build: Callable[[], Path]) -> None:
    network = network_of(build())
    support = probe_causal_lm(network)
    assert support is not None
    compare(network, CausalTextDecoder(network, last_layer=support.last_layer), lambda ids: network(ids).logits)


def test_a_soft_prompt_comes_before_every_context() -> None:
    network = network_of(tiny_models.tiny_llama())
    virtual = torch.randn(3, 32, generator=torch.Generator().manual_seed(1))

    def plain(ids: torch.Tensor) -> torch.Tensor:
        words = network.get_input_embeddings()(ids)
        return network(inputs_embeds=torch.cat([virtual[None], words], dim=1)).logits

    compare(network, CausalTextDecoder(network, VirtualTokens(virtual)), plain)


@torch.inference_mode()
def compare(network: Any, decoder: CausalTextDecoder, plain: Callable[[torch.Tensor], torch.Tensor]) -> None:
    """Read two contexts, continue, read the third, drop the first, continue; `plain` gives logits of a text."""
    some = contexts()
    beginning = SharedBeginning(decoder.lead_tokens + SHARED, 2)
    planned = [
        PlannedText(Request(np.asarray(some[0], dtype=np.int32), (), kept=SHARED), beginning, STEPS + 1),
        PlannedText(Request(np.asarray(some[1], dtype=np.int32), (), shared=SHARED), beginning, STEPS + 1),
        PlannedText(Request(np.asarray(some[2], dtype=np.int32), ()), None, STEPS + 1),
    ]
    texts = [list(context) for context in some]
    draw = np.random.default_rng(1)

    def check(logits: torch.Tensor, numbers: list[int]) -> None:
        for row, number in zip(logits, numbers, strict=True):
            expected = plain(torch.tensor([texts[number]]))[0, -1]
            assert torch.allclose(row, expected, atol=1e-4), f"text {number} of {len(texts[number])} tokens"

    def step(numbers: list[int]) -> None:
        for number in numbers:
            texts[number].append(int(draw.integers(5, 400)))
        check(decoder.step([texts[number][-1] for number in numbers]), numbers)

    check(decoder.start(planned[:1]), [0])
    check(decoder.start(planned[1:2]), [1])
    step([0, 1])
    check(decoder.start(planned[2:]), [2])
    step([0, 1, 2])
    decoder.drop(0)
    for _ in range(STEPS - 2):
        step([2, 1])
    assert decoder.token_bytes == 2 * network.config.num_hidden_layers * 4 * key_width(network)


def key_width(network: Any) -> int:
    """The width of a layer's keys."""
    config = network.config
    heads = getattr(config, "num_key_value_heads", config.num_attention_heads)
    return heads * getattr(config, "head_dim", config.hidden_size // config.num_attention_heads)
