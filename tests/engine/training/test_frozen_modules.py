"""Substitutes equal what they stand in for, forward and backward, and are removed afterwards."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers.activations import NewGELUActivation
from transformers.models.gemma2.modeling_gemma2 import Gemma2RMSNorm
from transformers.models.llama.modeling_llama import LlamaRMSNorm
from transformers.models.t5.modeling_t5 import T5LayerNorm

from phraseproof.engine.training.frozen_modules import FrozenModules

MODULES = {"t5": lambda: T5LayerNorm(24), "llama": lambda: LlamaRMSNorm(24), "gelu": NewGELUActivation}


@pytest.mark.parametrize("name", MODULES)
def test_values_and_gradients_are_those_of_the_module(name: str) -> None:
    torch.manual_seed(0)
    module = MODULES[name]().double()
    for weight in module.parameters():
        nn.init.normal_(weight)
        weight.requires_grad_(False)
    network = nn.Sequential(module)
    packed = FrozenModules(network)
    assert len(packed) == 1
    x = (3 * torch.randn(2, 5, 24, dtype=torch.float64)).requires_grad_()
    expected = network(x)
    upstream = torch.randn_like(expected)
    (expected_gradient,) = torch.autograd.grad(expected, x, upstream)
    with packed.in_place():
        found = network(x)
        assert torch.autograd.gradcheck(network, x)
    (gradient,) = torch.autograd.grad(found, x, upstream)
    # Whatever they are given, the modules take their means in float32.
    assert found.detach().numpy() == pytest.approx(expected.detach().numpy(), rel=1e-6)
    assert gradient.numpy() == pytest.approx(expected_gradient.numpy(), rel=1e-5, abs=1e-6)


def test_afterwards_all_is_as_before_also_after_an_error() -> None:
    network = nn.Sequential(LlamaRMSNorm(8), NewGELUActivation())
    own = network[0].forward
    network[1].forward = torch.tanh  # set by someone else
    packed = FrozenModules(network)
    with pytest.raises(RuntimeError), packed.in_place():
        network(torch.ones(2, 3))
    assert network[0].forward == own
    assert "forward" not in vars(network[0])
    assert network[1].forward is torch.tanh


def test_what_is_computed_otherwise_is_left_alone() -> None:
    gemma = Gemma2RMSNorm(8)
    nn.init.normal_(gemma.weight)
    vars(gemma)["variance_epsilon"] = 1e-6  # looks like the others, but adds one to its weight
    assert len(FrozenModules(nn.Sequential(gemma, nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 8)))) == 0
