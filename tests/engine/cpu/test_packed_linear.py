from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from phraseproof.engine.cpu import packed_linear
from phraseproof.engine.cpu.packed_linear import (
    PackedLinear,
    pack_linear_layers,
    packing_pays,
    unpack_linear_layers,
)

pytestmark = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch without oneDNN")


def frozen(module: nn.Module) -> Any:
    return module.requires_grad_(False).eval()


@pytest.mark.parametrize("shape", [(1, 96), (7, 96), (2, 3, 96), (1, 130, 96)])
@pytest.mark.parametrize("bias", [True, False])
def test_products_equal_the_plain_layers(shape: tuple[int, ...], bias: bool) -> None:
    plain = frozen(nn.Linear(96, 160, bias=bias))
    packed = PackedLinear(plain.weight, plain.bias)
    x = torch.randn(shape)
    assert torch.allclose(packed(x), plain(x), atol=1e-5)
    assert packed(x).shape == (*shape[:-1], 160)
    assert torch.allclose(packed(x.transpose(0, -1).contiguous().transpose(0, -1)), plain(x), atol=1e-5)


@pytest.mark.parametrize("in_one_pass", [True, False])
def test_activations_and_factors_ride_along(in_one_pass: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_linear, "_one_pass_pays", lambda: in_one_pass)
    plain = frozen(nn.Linear(96, 160))
    packed = PackedLinear(plain.weight, plain.bias)
    x, factor = torch.randn(2, 9, 96), torch.randn(2, 9, 160)
    assert torch.allclose(packed.activated(x, "swish"), nn.functional.silu(plain(x)), atol=1e-5)
    gelu = nn.functional.gelu(plain(x), approximate="tanh")
    assert torch.allclose(packed.activated(x, "gelu", "tanh"), gelu, atol=1e-5)
    assert torch.allclose(packed.activated(x, "gelu", "none"), nn.functional.gelu(plain(x)), atol=1e-5)
    assert torch.allclose(packed.activated(x, "relu"), nn.functional.relu(plain(x)), atol=1e-5)
    assert torch.allclose(packed.times(x, factor), plain(x) * factor, atol=1e-5)


def test_gradients_flow_to_the_input_alone() -> None:
    plain = frozen(nn.Linear(96, 160))
    packed = PackedLinear(plain.weight, plain.bias)
    x = torch.randn(2, 5, 96, requires_grad=True)
    y = x.detach().clone().requires_grad_()
    weights = torch.randn(2, 5, 160)
    (packed(x) * weights).sum().backward()
    (plain(y) * weights).sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    assert torch.allclose(x.grad, y.grad, atol=1e-5)
    assert not list(packed.parameters())


def test_the_weights_come_back_bit_for_bit() -> None:
    plain = frozen(nn.Linear(96, 160))
    state = PackedLinear(plain.weight, plain.bias).state_dict()
    assert {name: tuple(value.shape) for name, value in state.items()} == {"weight": (160, 96), "bias": (160,)}
    assert torch.equal(state["weight"], plain.weight)


class _Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        from transformers.pytorch_utils import Conv1D

        self.embed = nn.Embedding(300, 64)
        self.wide = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), Conv1D(64, 128))
        self.narrow = nn.Linear(64, 4)
        self.trained = nn.Linear(64, 64)
        self.head = nn.Linear(64, 300, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.wide(self.embed(ids))
        return self.head(self.trained(x)) + self.narrow(x).sum(-1, keepdim=True)


def test_frozen_layers_of_a_network_are_swapped_and_the_rest_stays() -> None:
    network = frozen(_Network())
    network.trained.requires_grad_(True)
    ids = torch.arange(12)[None]
    expected, stored = network(ids), {name: value.clone() for name, value in network.state_dict().items()}
    assert pack_linear_layers(network) == 3
    assert isinstance(network.wide[0], PackedLinear)
    assert isinstance(network.wide[2], PackedLinear)
    assert isinstance(network.head, PackedLinear)
    assert type(network.narrow) is nn.Linear, "too small to gain"
    assert type(network.trained) is nn.Linear, "its weights are wanted"
    assert torch.allclose(network(ids), expected, atol=1e-5)
    network(ids).sum().backward()
    assert network.trained.weight.grad is not None
    for name in ("embed.weight", "wide.0.weight", "wide.0.bias", "head.weight"):
        assert torch.equal(network.state_dict()[name], stored[name]), name
    assert pack_linear_layers(network) == 0, "a second time finds nothing left to do"


def test_half_precision_stays_as_it_is() -> None:
    assert pack_linear_layers(frozen(nn.Sequential(nn.Linear(96, 96).to(torch.bfloat16)))) == 0


def test_a_fixed_rule_decides_so_that_equal_commands_give_equal_numbers() -> None:
    answers: list[bool] = []
    for _ in range(3):
        packing_pays.cache_clear()
        answers.append(packing_pays())
    assert answers == [torch.backends.cpu.get_cpu_capability().startswith(("AVX2", "AVX512"))] * 3


def test_packing_can_be_undone_bit_for_bit() -> None:
    network = frozen(_Network())
    ids = torch.arange(12)[None]
    expected, stored = network(ids), {name: value.clone() for name, value in network.state_dict().items()}
    kinds = [type(module) for module in network.modules()]
    assert pack_linear_layers(network) > 0
    unpack_linear_layers(network)
    assert [type(module) for module in network.modules()] == kinds
    assert torch.equal(network(ids), expected)
    for name, value in network.state_dict().items():
        assert torch.equal(value, stored[name]), name


def test_layers_that_do_more_than_their_product_stay() -> None:
    network: Any = frozen(nn.Sequential(nn.Linear(96, 96), nn.Linear(96, 96), nn.Linear(96, 96)))
    plain = network[0].forward
    network[0].forward = lambda x: plain(x) + 1
    network[1].register_forward_hook(lambda _, __, output: output * 2)
    expected = network(torch.ones(2, 96))
    assert pack_linear_layers(network) == 1
    assert isinstance(network[2], PackedLinear)
    assert torch.allclose(network(torch.ones(2, 96)), expected, atol=1e-5)
