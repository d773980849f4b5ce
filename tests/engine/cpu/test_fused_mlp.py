"""Gated layers run fused give what they give otherwise."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers.activations import ACT2FN, NewGELUActivation

from phraseproof.engine.cpu.fused_mlp import activation_in_onednn, fuse_gates
from phraseproof.engine.cpu.packed_linear import pack_linear_layers
from support import tiny_models


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch was built without oneDNN")
def test_fused_layers_equal_plain_ones() -> None:
    ids = torch.tensor([[1, 5, 9, 30, 4]])
    with torch.inference_mode():
        network = tiny_models.llama_network(64).eval().requires_grad_(False)
        for layer in network.model.layers:  # large enough for their weights to be packed
            layer.mlp.gate_proj = nn.Linear(32, 256, bias=False).requires_grad_(False)
            layer.mlp.up_proj = nn.Linear(32, 256, bias=False).requires_grad_(False)
            layer.mlp.down_proj = nn.Linear(256, 32, bias=False).requires_grad_(False)
        expected = network(input_ids=ids).logits
        assert pack_linear_layers(network) > 0
        assert fuse_gates(network) == len(network.model.layers)
        assert torch.allclose(network(input_ids=ids).logits, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (nn.SiLU(), ("swish", "")),
        (nn.GELU(approximate="tanh"), ("gelu", "tanh")),
        (ACT2FN["gelu"], ("gelu", "none")),
        (NewGELUActivation(), ("gelu", "tanh")),
        (nn.Tanh(), None),
    ],
)
def test_activations_by_their_names_in_onednn(activation: nn.Module, expected: tuple[str, str] | None) -> None:
    assert activation_in_onednn(activation) == expected
