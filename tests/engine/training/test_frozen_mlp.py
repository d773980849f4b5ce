"""Gated layers as one step of the graph, against the modules of five families."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import Gemma2Config, LlamaConfig, Qwen2Config, T5Config
from transformers.models.gemma2.modeling_gemma2 import Gemma2MLP
from transformers.models.llama.modeling_llama import LlamaMLP
from transformers.models.qwen2.modeling_qwen2 import Qwen2MLP
from transformers.models.t5.modeling_t5 import T5DenseGatedActDense

from phraseproof.engine.training.frozen_modules import FrozenModules

SIZES: Any = {"hidden_size": 96, "intermediate_size": 160}
MODULES: dict[str, Callable[[], nn.Module]] = {
    "t5": lambda: T5DenseGatedActDense(T5Config(d_model=96, d_ff=160, feed_forward_proj="gated-gelu")),
    "t5-silu": lambda: T5DenseGatedActDense(T5Config(d_model=96, d_ff=160, feed_forward_proj="gated-silu")),
    "llama": lambda: LlamaMLP(LlamaConfig(**SIZES, mlp_bias=True)),
    "qwen2": lambda: Qwen2MLP(Qwen2Config(**SIZES)),
    "gemma2": lambda: Gemma2MLP(Gemma2Config(**SIZES)),
    "exact-gelu": lambda: LlamaMLP(LlamaConfig(**SIZES, hidden_act="gelu")),
}


def built(name: str) -> nn.Sequential:
    torch.manual_seed(0)
    module = MODULES[name]().eval()
    for weight in module.parameters():
        nn.init.normal_(weight, std=0.2)
    return nn.Sequential(module).requires_grad_(False)


def states(dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(2, 5, 96, dtype=dtype, generator=torch.Generator().manual_seed(1)).requires_grad_()


@pytest.mark.parametrize("name", MODULES)
def test_values_and_gradients_are_those_of_the_module(name: str) -> None:
    network, x = built(name), states()
    packed = FrozenModules(network)
    expected = network(x)
    upstream = torch.randn_like(expected)
    (wanted,) = torch.autograd.grad(expected, x, upstream)
    with packed.in_place():
        found = network(x)
        with torch.no_grad():
            as_numbers = network(x)
    (gradient,) = torch.autograd.grad(found, x, upstream)
    assert found.grad_fn is not None
    assert "Gated" in found.grad_fn.name()
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert torch.allclose(as_numbers, expected, rtol=1e-4, atol=1e-4)
    assert torch.allclose(gradient, wanted, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", MODULES)
def test_gradients_are_those_of_differences(name: str) -> None:
    network = built(name).double()
    with FrozenModules(network).in_place():
        assert torch.autograd.gradcheck(network, states(torch.float64)[:1, :2])


@pytest.mark.parametrize("name", ["t5", "llama"])
def test_the_way_back_needs_two_tensors_and_may_be_gone_twice(name: str) -> None:
    network, x = built(name), states()
    kept: list[int] = []

    def keep(tensor: Tensor) -> Tensor:
        if not isinstance(tensor, nn.Parameter):
            kept.append(tensor.numel())
        return tensor

    with FrozenModules(network).in_place(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        found = network(x)
    assert kept == [2 * 5 * 160] * 2
    upstream = torch.randn_like(found)
    (once,) = torch.autograd.grad(found, x, upstream, retain_graph=True)
    (twice,) = torch.autograd.grad(found, x, upstream)
    assert torch.equal(once, twice)


class _Otherwise(nn.Module):
    """The parts' names, and another function."""

    def __init__(self) -> None:
        super().__init__()
        self.gate_proj, self.up_proj, self.down_proj = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.act_fn = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(self.act_fn(self.gate_proj(x)) + self.up_proj(x))


def test_a_layer_that_computes_otherwise_is_left_alone() -> None:
    assert len(FrozenModules(nn.Sequential(_Otherwise()).requires_grad_(False))) == 0
