"""Half-precision products computed in float32 and rounded are those of half precision."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from phraseproof.core import Prompt
from phraseproof.engine.cpu import emulated_half
from phraseproof.engine.cpu.emulated_half import undo_widening, widen_products
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models


def layer(kind: str, dtype: torch.dtype) -> nn.Module:
    torch.manual_seed(5)
    found: Any = Conv1D(40, 24) if kind == "Conv1D" else nn.Linear(24, 40, bias=kind == "bias")
    if kind != "plain":
        nn.init.normal_(found.bias)
    return found.requires_grad_(False).to(dtype)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", ["plain", "bias", "Conv1D"])
def test_products_are_exact_before_they_are_rounded(
    kind: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emulated_half, "_PIECE", 7 * 24)  # pieces of 7 of 40 rows
    network = nn.Sequential(layer(kind, dtype))
    x = torch.randn(3, 2, 24).to(dtype).requires_grad_()
    exact = layer(kind, dtype).double()(x.double())
    assert widen_products(network) == 1
    found = network(x)
    assert found.dtype == dtype
    assert torch.allclose(found.double(), exact, rtol=torch.finfo(dtype).eps, atol=1e-5)
    found.sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == dtype
    undo_widening(network)
    assert "forward" not in vars(network[0])


def test_other_layers_stay() -> None:
    replaced = layer("plain", torch.bfloat16)
    replaced.forward = lambda x: x
    assert widen_products(nn.Sequential(layer("plain", torch.float32), replaced, nn.LayerNorm(3).bfloat16())) == 0


def test_a_cpu_that_emulates_half_precision_scores_with_products_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = [Prompt(f"the king of number {number}", ("A", "B", "the long way")) for number in range(4)]

    def scored(emulates: bool) -> tuple[HuggingFaceModel, list[float]]:
        monkeypatch.setattr("phraseproof.engine.cpu.half_products.half_products_pay", lambda: False)
        monkeypatch.setattr("phraseproof.engine.cpu.half_products.emulated", lambda _dtype: emulates)
        found = load_model(str(tiny_models.tiny_llama()), ModelOptions(device="cpu", dtype="bfloat16"))
        assert isinstance(found, HuggingFaceModel)
        return found, [value for scores in found.score_options(prompts) for value in scores.logprobs]

    (widened, found), (plain, expected) = scored(True), scored(False)
    assert widened.identity == plain.identity
    assert (widened.weights.pack_layers(), plain.weights.pack_layers()) == (15, 0)
    assert {value.dtype for value in widened.network.parameters()} == {torch.bfloat16}
    assert found == pytest.approx(expected, rel=2e-2)
