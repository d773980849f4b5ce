"""A network computes the same whatever it has computed before."""

from __future__ import annotations

from typing import Any

import torch
from transformers import BigBirdConfig, BigBirdForCausalLM, LlamaConfig, LlamaForCausalLM

from phraseproof.engine.pass_state import PassState
from support import tiny_models

SIZES: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}


def read(network: Any, tokens: int) -> torch.Tensor:
    ids = torch.arange(tokens)[None] % 50 + 10
    with torch.no_grad():
        return network(input_ids=ids, use_cache=False).logits[0, -1]


def test_longer_texts_leave_their_frequencies_behind_until_they_are_put_back() -> None:
    rope = {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 10000.0}
    config = LlamaConfig(**SIZES, max_position_embeddings=16, rope_parameters=rope)
    network = tiny_models.spread_weights(tiny_models.seeded(lambda: LlamaForCausalLM(config))).eval()
    state = PassState(network)
    expected = read(network, 20)
    read(network, 60)
    assert not torch.allclose(read(network, 20), expected, atol=1e-3), "what is put back must matter"
    state.restore()
    assert torch.allclose(read(network, 20), expected, atol=1e-6)


def test_block_sparse_attention_comes_back_after_a_short_text() -> None:
    config = BigBirdConfig(**SIZES, is_decoder=False, block_size=4, num_random_blocks=1, max_position_embeddings=80)
    network = tiny_models.seeded(lambda: BigBirdForCausalLM(config)).eval()
    state = PassState(network)
    encoder = network.bert.encoder
    read(network, 8)
    assert encoder.attention_type == "original_full"
    state.restore()
    assert encoder.attention_type == "block_sparse"
