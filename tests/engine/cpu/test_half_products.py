"""bfloat16 networks with products in bfloat16 and the rest in float32."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from phraseproof.engine.cpu.fused_mlp import fuse_gates
from phraseproof.engine.cpu.half_products import (
    bfloat16_units,
    emulated,
    half_products_pay,
    rounding_of,
    with_half_products,
)
from phraseproof.engine.cpu.packed_linear import PackedLinear, packing_pays

CPU_FLAGS = Path("/proc/cpuinfo")
IDS = torch.tensor([[1, 5, 9, 30, 4, 250, 77, 8, 8, 2, 140]])

needs_products = pytest.mark.skipif(
    not packing_pays() or not torch.ops.mkldnn._is_mkldnn_bf16_supported(),
    reason="no products in bfloat16 here",
)


def llama(*, tied: bool) -> Any:
    torch.manual_seed(3)
    config: Any = LlamaConfig(
        vocab_size=300,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=tied,
        initializer_range=0.1,
    )
    return LlamaForCausalLM(config)


def gpt2() -> Any:
    torch.manual_seed(4)
    config: Any = GPT2Config(vocab_size=300, n_embd=128, n_layer=2, n_head=4, n_positions=64, initializer_range=0.1)
    network: Any = GPT2LMHeadModel(config)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if name.endswith("bias"):
                value.normal_(0, 0.3)
    return network


NETWORKS = {"tied": lambda: llama(tied=True), "untied": lambda: llama(tied=False), "biases": gpt2}


def in_half(name: str) -> Any:
    return NETWORKS[name]().eval().requires_grad_(False).to(torch.bfloat16)


def logits(network: Any) -> torch.Tensor:
    with torch.inference_mode():
        return network(input_ids=IDS, use_cache=False).logits


@needs_products
@pytest.mark.parametrize("name", NETWORKS)
def test_scores_are_nearer_to_float32_than_those_of_bfloat16_throughout(name: str) -> None:
    plain = in_half(name)
    exact = logits(copy.deepcopy(plain).float())  # the same weights, rounded to bfloat16
    mixed = copy.deepcopy(plain)
    changed = with_half_products(mixed)
    fuse_gates(mixed)
    found = logits(mixed)
    assert found.dtype == torch.float32
    half = [module for module in mixed.modules() if isinstance(module, PackedLinear) and module.is_half]
    assert changed.packed >= len(half) == {"tied": 14, "untied": 14, "biases": 8}[name]
    assert float((found - exact).norm()) < 0.9 * float((logits(plain).float() - exact).norm())
    assert 0 < float((found - exact).norm()) < 2e-2 * float(exact.norm())
    assert (rounding_of(mixed), rounding_of(plain)) == (torch.bfloat16, torch.bfloat16)
    assert rounding_of(copy.deepcopy(plain).float()) == torch.float32


@needs_products
@pytest.mark.parametrize("name", NETWORKS)
def test_only_the_products_of_layers_round(name: str) -> None:
    """With weights and inputs that bfloat16 holds exactly, nothing is rounded but what products give."""
    mixed = in_half(name)
    with_half_products(mixed)
    head, embeddings = mixed.get_output_embeddings(), mixed.get_input_embeddings()
    assert embeddings.weight.dtype == torch.float32
    states = torch.randn(5, 128)
    dense = head.weight.to_dense() if head.weight.layout != torch.strided else head.weight
    with torch.inference_mode():
        assert torch.allclose(head(states), states @ dense.t(), atol=1e-4)
    assert all(value.dtype == torch.float32 for value in mixed.parameters())


@needs_products
@pytest.mark.parametrize("name", NETWORKS)
def test_undone_a_network_is_what_it_was_bit_for_bit(name: str) -> None:
    network = in_half(name)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    expected = logits(network)
    with_half_products(network).undo(network)
    again = network.state_dict()
    assert again.keys() == state.keys()
    assert all(again[name].dtype == value.dtype and torch.equal(again[name], value) for name, value in state.items())
    assert torch.equal(logits(network), expected)


@needs_products
def test_gradients_reach_the_input_through_a_product_in_bfloat16() -> None:
    weight, x = torch.randn(160, 96).bfloat16(), torch.randn(7, 96, requires_grad=True)
    packed = PackedLinear(weight, torch.randn(160))
    upstream = torch.randn(7, 160)
    (packed(x) * upstream).sum().backward()
    assert x.grad is not None
    expected = upstream.bfloat16().double() @ weight.double()
    assert float((x.grad.double() - expected).norm()) < 5e-3 * float(expected.norm())


@pytest.mark.skipif(not CPU_FLAGS.exists(), reason="no list of the CPU's flags")
def test_the_units_are_those_that_the_system_names() -> None:
    lines = CPU_FLAGS.read_text(encoding="utf-8").splitlines()
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    expected = "AMX" if {"amx_bf16", "amx_tile"} <= set(flags) else "AVX512-BF16" if "avx512_bf16" in flags else None
    assert bfloat16_units() == expected
    assert half_products_pay() == (expected is not None and packing_pays())
    assert emulated("bfloat16") == (expected is None and torch.backends.cpu.get_cpu_capability().startswith("AVX"))
    assert emulated("float16") == ("avx512_fp16" not in flags and torch.backends.cpu.get_cpu_capability() != "DEFAULT")
    assert not emulated("float32")
