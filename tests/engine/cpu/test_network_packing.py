"""Networks are packed by one comparison of two passes, and what is wrong is found layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM, T5Config, T5ForConditionalGeneration

from phraseproof.engine.cpu import network_packing, packed_linear
from phraseproof.engine.cpu.fused_mlp import gate_layers
from phraseproof.engine.cpu.network_packing import pack_float32
from phraseproof.engine.cpu.packed_linear import PackedLinear, packing_pays
from phraseproof.engine.trial import trial_logits
from phraseproof.errors import ModelError
from support import tiny_models

pytestmark = pytest.mark.skipif(not packing_pays(), reason="a CPU on which layers are not packed")


def llama() -> Any:
    """All of its 15 linear layers are large enough to be packed."""
    config = LlamaConfig(
        vocab_size=320,
        hidden_size=128,
        intermediate_size=192,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
    )
    return frozen(tiny_models.spread_weights(tiny_models.seeded(lambda: LlamaForCausalLM(config)), std=0.1))


def t5() -> Any:
    config = T5Config(
        vocab_size=320, d_model=128, d_kv=64, d_ff=192, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu"
    )
    build: Callable[[], Any] = lambda: T5ForConditionalGeneration(config)  # noqa: E731
    return frozen(tiny_models.spread_weights(tiny_models.seeded(build), std=0.1))


def frozen(network: Any) -> Any:
    return network.eval().requires_grad_(False)


class Trials:
    """Counts passes and trials of single layers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passes = self.layers = 0
        whole, single = network_packing.trial_logits, packed_linear._pack_layer

        def passed(network: Any) -> Any:
            self.passes += 1
            return whole(network)

        def tried(layer: Any, *, is_transposed: bool = False, is_tried: bool = False) -> Any:
            self.layers += not is_tried
            return single(layer, is_transposed=is_transposed, is_tried=is_tried)

        monkeypatch.setattr(network_packing, "trial_logits", passed)
        monkeypatch.setattr(packed_linear, "_pack_layer", tried)


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> Trials:
    return Trials(monkeypatch)


def plain_layers(network: Any) -> list[str]:
    return [name for name, module in network.named_modules() if type(module) is nn.Linear]


@pytest.mark.parametrize("build", [llama, t5])
def test_a_network_is_packed_after_two_passes_and_computes_the_same(build: Callable[[], Any], trials: Trials) -> None:
    network = build()
    expected = trial_logits(network)
    assert expected is not None
    shapes = {tuple(network.get_submodule(name).weight.shape) for name in plain_layers(network)}
    assert pack_float32(network) == sum(type(module) is PackedLinear for module in network.modules()) > 14
    assert plain_layers(network) == []
    assert gate_layers(network)
    assert (trials.passes, trials.layers) == (2, len(shapes))
    torch.testing.assert_close(trial_logits(network), expected, rtol=1e-4, atol=1e-5)


def break_products(monkeypatch: pytest.MonkeyPatch, layer: Any, change: Callable[[torch.Tensor], Any]) -> None:
    """Let the packed products with the weights of one layer be wrong, in all ways of computing them."""
    plain, broken = layer.weight.clone(), layer.weight.clone()
    change(broken)
    swapped: list[tuple[torch.Tensor, torch.Tensor]] = []
    packs, multiplies, operator = packed_linear._packed, packed_linear.product, packed_linear.operator

    def packed(weight: torch.Tensor) -> torch.Tensor:
        found = packs(weight)
        if torch.equal(weight, plain):
            swapped.append((found, packs(broken)))
        return found

    def used(arguments: Any) -> list[Any]:
        return [next((wrong for right, wrong in swapped if right is each), each) for each in arguments]

    class Broken:
        def __init__(self, name: str) -> None:
            self.right: Any = operator(name)

        def __call__(self, *arguments: Any) -> torch.Tensor:
            return self.right(*used(arguments))

        def binary(self, *arguments: Any) -> torch.Tensor:
            return self.right.binary(*used(arguments))

    monkeypatch.setattr(packed_linear, "_packed", packed)
    monkeypatch.setattr(packed_linear, "product", lambda *arguments: multiplies(*used(arguments)))
    monkeypatch.setattr(
        packed_linear, "operator", lambda name: Broken(name) if name != "_reorder_linear_weight" else operator(name)
    )


def one_feature(weight: torch.Tensor) -> None:
    weight[-1] *= 1.01


def less_precision(weight: torch.Tensor) -> None:
    weight.copy_(weight.bfloat16())


@pytest.mark.parametrize("change", [one_feature, less_precision])
@pytest.mark.parametrize(
    "name",
    [
        "model.layers.0.self_attn.v_proj",
        "model.layers.0.mlp.gate_proj",
        "model.layers.1.mlp.up_proj",
        "model.layers.1.mlp.down_proj",
        "lm_head",
    ],
)
def test_a_layer_whose_packed_products_are_wrong_stays_plain(
    name: str, change: Callable[[torch.Tensor], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = llama()
    expected = trial_logits(network)
    break_products(monkeypatch, network.get_submodule(name), change)
    assert pack_float32(network) == 14
    assert plain_layers(network) == [name]
    torch.testing.assert_close(trial_logits(network), expected, rtol=1e-4, atol=1e-5)


def test_a_small_feature_of_a_layer_with_a_large_one_is_compared_by_its_own_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = llama()
    layer = network.model.layers[1].mlp.down_proj
    layer.weight[3] *= 1000
    break_products(monkeypatch, layer, one_feature)
    assert pack_float32(network) == 14
    assert plain_layers(network) == ["model.layers.1.mlp.down_proj"]


def test_products_that_a_closed_gate_hides_from_the_pass_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    network = llama()
    mlp = network.model.layers[1].mlp
    closed = torch.zeros(192)
    closed[-1] = -25
    mlp.gate_proj.bias = nn.Parameter(closed, requires_grad=False)
    break_products(monkeypatch, mlp.up_proj, lambda weight: weight[-1].mul_(1.5))
    assert pack_float32(network) == 14
    assert plain_layers(network) == ["model.layers.1.mlp.up_proj"]


def test_wrong_fused_gates_are_found_and_the_layers_stay_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    network = llama()
    expected = trial_logits(network)
    activated = PackedLinear.activated

    def wrong(self: PackedLinear, *rest: Any) -> torch.Tensor:
        return activated(self, *rest) * 1.01

    monkeypatch.setattr(PackedLinear, "activated", wrong)
    assert pack_float32(network) == 15
    assert not gate_layers(network)
    torch.testing.assert_close(trial_logits(network), expected, rtol=1e-4, atol=1e-5)


def test_a_network_that_reads_the_weights_of_a_layer_stays_plain() -> None:
    network = llama()
    attention = network.model.layers[0].self_attn
    # The layer that takes its place computes the same, but its weights cannot be read.
    network.model.norm.register_forward_hook(lambda _, __, gave: gave + attention.v_proj.weight.sum() * 0)
    expected = trial_logits(network)
    assert pack_float32(network) == 0
    assert len(plain_layers(network)) == 15
    torch.testing.assert_close(trial_logits(network), expected)


def test_layers_that_the_pass_does_not_reach_are_tried_alone(monkeypatch: pytest.MonkeyPatch, trials: Trials) -> None:
    network = llama()
    network.model.unused = frozen(nn.ModuleList([nn.Linear(128, 128), nn.Linear(128, 128)]))
    break_products(monkeypatch, network.model.unused[1], one_feature)
    assert pack_float32(network) == 16
    assert plain_layers(network) == ["model.unused.1"]
    assert trials.passes == 2, "both have trials alone, and the network is right without the second"


def test_a_network_that_cannot_read_the_trial_stays_plain() -> None:
    network = llama()

    def refuse(*_: Any, **__: Any) -> None:
        raise ValueError

    network.forward = refuse
    assert pack_float32(network) == 0
    assert len(plain_layers(network)) == 15


def test_weights_that_do_not_come_back_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    network = llama()
    packs = packed_linear._packed
    first = network.model.layers[0].self_attn.v_proj.weight.data_ptr()

    def loses(weight: torch.Tensor) -> torch.Tensor:
        return packs(weight * 1.01 if weight.data_ptr() == first else weight)

    monkeypatch.setattr(packed_linear, "_packed", loses)
    with pytest.raises(ModelError, match="LlamaForCausalLM cannot be scored: its weights changed"):
        pack_float32(network)
