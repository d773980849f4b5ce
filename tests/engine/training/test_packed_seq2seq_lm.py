"""The encoder without padding, and its states read in either bracketing, against the model's own pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from phraseproof.engine.training.bucketing import TargetRow
from phraseproof.engine.training.packed_seq2seq_lm import PackedSeq2SeqLMForTraining
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models

ROWS = [
    TargetRow(tuple(range(5, 45)), (9, 31, 40)),
    TargetRow((7, 8), (12,)),
    TargetRow(tuple(range(60, 75)), (8, 8)),
    TargetRow((7, 8), (30, 2)),
    TargetRow(tuple(range(5, 45)), (11,)),
]


def network_of(*, tied: bool) -> Any:
    model = load_model(str(tiny_models.tiny_t5(tied=tied)), ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    return model.network.requires_grad_(False)


def alone(network: Any, row: TargetRow, virtual: torch.Tensor) -> torch.Tensor:
    inputs = torch.cat([virtual, network.get_input_embeddings()(torch.tensor(row.context))])
    return network(inputs_embeds=inputs[None], labels=torch.tensor([row.target])).logits[0]


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("absorbs", [True, False, None])
def test_logits_and_gradients_are_those_of_each_row_alone(absorbs: bool | None, tied: bool) -> None:
    network = network_of(tied=tied)
    virtual = torch.randn(4, 32, generator=torch.Generator().manual_seed(1)).requires_grad_()
    # The model's own pass must come out the same after ours as before.
    expected = [alone(network, row, virtual) for row in ROWS]
    packed = PackedSeq2SeqLMForTraining(network, 0)
    found = packed.logits(ROWS, virtual, absorbs=absorbs)
    again = [alone(network, row, virtual) for row in ROWS]
    assert all(torch.equal(one, other) for one, other in zip(expected, again, strict=True))
    pieces = [logits[: len(row.target)] for logits, row in zip(found.logits, ROWS, strict=True)]
    for logits, plain in zip(pieces, expected, strict=True):
        assert logits.detach().numpy() == pytest.approx(plain.detach().numpy(), abs=2e-4)
    upstream = [torch.randn_like(plain) for plain in expected]
    (gradient,) = torch.autograd.grad(pieces, virtual, upstream)
    (wanted,) = torch.autograd.grad(expected, virtual, upstream)
    assert float((gradient - wanted).norm()) <= 1e-4 * float(wanted.norm())
    assert found.prefix_states.shape == (len(ROWS), 4, 32)


def wide_network() -> Any:
    """Wide enough for its linear layers to be replaced while a pass runs."""
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    config = T5Config(vocab_size=100, d_model=96, d_kv=16, d_ff=128, num_layers=2, num_heads=6)
    config.decoder_start_token_id = 0
    network: Any = T5ForConditionalGeneration(config)
    return network.eval().requires_grad_(False)


@pytest.mark.parametrize("make", [lambda: network_of(tied=False), wide_network], ids=["tiny", "wide"])
def test_projections_are_moved_where_targets_are_short_against_prompts(make: Callable[[], Any]) -> None:
    network = make()
    packed = PackedSeq2SeqLMForTraining(network, 0)
    virtual = torch.zeros(4, network.config.d_model)
    projection = network.get_decoder().block[0].layer[1].EncDecAttention.k
    read: list[bool] = []
    projection.register_forward_hook(lambda _, arguments, output: read.append(output is arguments[0]))
    packed.logits([TargetRow(tuple(range(60)), (5, 6))], virtual)
    packed.logits([TargetRow((5, 6), tuple(range(30)))], virtual)
    assert read == [True, False]


@pytest.mark.parametrize("with_soft", [True, False])
def test_a_prompt_of_several_rows_is_encoded_once(with_soft: bool) -> None:
    network = network_of(tied=False)
    packed = PackedSeq2SeqLMForTraining(network, 0)
    read: list[int] = []
    first = network.get_encoder().block[0].layer[0].SelfAttention.q
    first.register_forward_pre_hook(lambda _, arguments: read.append(arguments[0].shape[:-1].numel()))
    found = packed.logits(ROWS, torch.zeros(4, 32) if with_soft else None)
    assert read == [40 + 2 + 15 + (3 * 4 if with_soft else 0)]
    for place, row in enumerate(ROWS):
        (alone,) = packed.logits([row], torch.zeros(4, 32) if with_soft else None).logits
        torch.testing.assert_close(found.logits[place, : len(row.target)], alone, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("target_modules", ["all-linear", "q", "v,o"])
def test_projections_that_an_adapter_changes_stay(target_modules: str) -> None:
    from phraseproof.alignment.low_rank import LowRankAdapter
    from phraseproof.alignment.settings import AlignmentSettings

    network = network_of(tied=False)
    LowRankAdapter.inject(network, AlignmentSettings(rank=2, target_modules=target_modules), uses_dora=False)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if "lora_B" in name:
                weight.copy_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(2)))
    packed = PackedSeq2SeqLMForTraining(network, 0)
    assert packed.can_absorb is (target_modules == "q")
    found = packed.logits(ROWS, None).logits
    for logits, row in zip(found, ROWS, strict=True):
        plain = network(input_ids=torch.tensor([row.context]), labels=torch.tensor([row.target])).logits[0]
        torch.testing.assert_close(logits[: len(row.target)], plain, atol=1e-3, rtol=1e-4)
