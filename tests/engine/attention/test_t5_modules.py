"""T5's relative biases asked beforehand, and projections that step aside."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from phraseproof.engine.attention.t5_modules import CrossAttention, RelativeBias
from support import tiny_models


def network() -> Any:
    return tiny_models.t5_network(64)


def test_the_table_is_what_the_module_computes() -> None:
    encoder = network().get_encoder()
    expected = encoder.block[0].layer[0].SelfAttention.compute_bias(9, 9)
    bias = RelativeBias(encoder)
    assert torch.equal(bias.table(9)[:, :, :9, :9], expected)
    assert bias.table(5) is bias.table(9), "a table that is large enough is kept"


def test_a_stack_without_relative_positions_is_refused() -> None:
    with pytest.raises(ValueError, match="0 modules with relative positions"):
        RelativeBias(torch.nn.Linear(2, 2))


def test_projections_can_be_passed_by_and_have_their_weights_by_head() -> None:
    module = network().get_decoder().block[0].layer[1].EncDecAttention
    cross = CrossAttention(module)
    states = torch.randn(1, 3, module.d_model)
    projected = module.k(states)
    of_keys, of_values = cross.weights
    by_head = states @ of_keys.reshape(-1, module.d_model).t()
    assert torch.allclose(projected, by_head, atol=1e-5)
    assert torch.allclose(
        module.v(states), states @ of_values.transpose(1, 2).reshape(-1, module.d_model).t(), atol=1e-5
    )
    cross.passes_states = True
    assert module.k(states) is states
