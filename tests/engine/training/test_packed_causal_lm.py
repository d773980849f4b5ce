"""Rows in one pass give what each gives alone, and what they share is computed once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from phraseproof.engine.training.bucketing import TargetRow
from phraseproof.engine.training.packed_causal_lm import PackedCausalLMForTraining
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models

FAMILIES = {
    "llama": tiny_models.tiny_llama,
    "gpt2": tiny_models.tiny_gpt2,
    "gpt-neox": tiny_models.tiny_gpt_neox,
    "gemma2": tiny_models.tiny_gemma2,
}
BEGINNING = tuple(range(5, 25))
ROWS = [
    TargetRow((*BEGINNING, 30, 31), (9, 31, 40)),
    TargetRow((60, 61, 62), (9, 31, 40)),
    TargetRow((*BEGINNING, 50), (12,)),
    TargetRow(BEGINNING, (8, 8)),
    TargetRow(BEGINNING, (8, 8)),
]


def network_of(folder: Path) -> Any:
    model = load_model(str(folder), ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    return model.network.requires_grad_(False)


def virtual_tokens(network: Any, count: int = 3) -> torch.Tensor:
    width = network.get_input_embeddings().weight.shape[1]
    return torch.randn(count, width, generator=torch.Generator().manual_seed(1)).requires_grad_()


def alone(network: Any, row: TargetRow, virtual: torch.Tensor) -> torch.Tensor:
    words = network.get_input_embeddings()(torch.tensor(row.context + row.target[:-1]))
    logits = network(inputs_embeds=torch.cat([virtual, words])[None]).logits[0]
    return logits[-len(row.target) :]


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_and_gradients_are_those_of_each_row_alone(family: str) -> None:
    network = network_of(FAMILIES[family]())
    packed = PackedCausalLMForTraining.try_on(network)
    assert packed is not None
    virtual = virtual_tokens(network)
    found = packed.logits(ROWS, virtual)
    expected = [alone(network, row, virtual) for row in ROWS]
    for logits, plain in zip(found, expected, strict=True):
        assert logits.detach().numpy() == pytest.approx(plain.detach().numpy(), abs=2e-4)
    upstream = [torch.randn_like(plain) for plain in expected]
    (gradient,) = torch.autograd.grad(found, virtual, upstream)
    (wanted,) = torch.autograd.grad(expected, virtual, upstream)
    assert float((gradient - wanted).norm()) <= 1e-4 * float(wanted.norm())


def test_a_model_that_reads_rows_one_after_another_is_not_taken() -> None:
    assert PackedCausalLMForTraining.try_on(network_of(tiny_models.tiny_mamba())) is None


def read_tokens(network: Any, run: Callable[[], object]) -> tuple[int, int]:
    """How many tokens the first layer's feed-forward reads, and the last's."""
    counts: list[int] = []
    handles = [
        layer.mlp.register_forward_pre_hook(lambda _, arguments: counts.append(arguments[0].shape[1]))
        for layer in network.model.layers
    ]
    run()
    for handle in handles:
        handle.remove()
    return counts[0], counts[-1]


def test_the_soft_prompt_and_common_beginnings_are_read_once_and_the_last_layer_at_targets_alone() -> None:
    network = network_of(tiny_models.tiny_llama())
    packed = PackedCausalLMForTraining.try_on(network)
    assert packed is not None
    rows, virtual = ROWS[:3], virtual_tokens(network, 10)
    first, last = read_tokens(network, lambda: packed.logits(rows, virtual))
    own_tokens = (2 + 2) + (3 + 2) + (1 + 0)
    assert first == 10 + len(BEGINNING) + own_tokens
    assert last == sum(len(row.target) for row in rows)
