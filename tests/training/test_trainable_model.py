"""The trained module: what is trained, its state read and written to the last bit, and the hash of the rest."""

from __future__ import annotations

import copy
import hashlib

import pytest
import torch
from torch import nn

from phraseproof.alignment.soft_prompt import SoftPrompt
from phraseproof.models import load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.training.trainable_model import (
    TrainableModel,
    read_optimizer,
    read_weights,
    weights_hash,
    write_optimizer,
    write_weights,
)
from support import tiny_models


def loaded(*, tied: bool = False) -> HuggingFaceModel:
    model = load_model(str(tiny_models.tiny_t5(tied=tied)))
    assert isinstance(model, HuggingFaceModel)
    return model


def with_prompt(model: HuggingFaceModel, placement: str = "input") -> TrainableModel:
    soft = SoftPrompt.create(
        model.network, n=3, placement=placement, init="random-vocabulary", seed=1, tokenizer=model.tokenizer
    )
    return TrainableModel(model.network, soft, joined=False, pad_id=model.pad_id)


def steps(module: nn.Module, optimizer: torch.optim.Optimizer, seeds: range) -> None:
    """Steps of the optimizer on random gradients."""
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        for parameter in module.parameters():
            if parameter.requires_grad:
                parameter.grad = torch.randn(parameter.shape, generator=generator)
        optimizer.step()


def adamw(module: nn.Module) -> torch.optim.AdamW:
    return torch.optim.AdamW([each for each in module.parameters() if each.requires_grad], lr=0.1)


def test_a_soft_prompt_is_trained_alone() -> None:
    at_input = with_prompt(loaded())
    assert at_input.trained == ["soft.weight"]
    in_layers = with_prompt(loaded(), "layers")
    assert in_layers.trained == [f"soft.{name}" for name, _ in in_layers.soft.named_parameters()]  # type: ignore[union-attr]
    assert len(in_layers.trained) == 5
    assert not at_input.training
    assert not any(module.training for module in at_input.modules()), "dropout is off"


def test_without_a_soft_prompt_every_weight_is_trained_once() -> None:
    model = loaded(tied=True)
    whole = TrainableModel(model.network, None, joined=False, pad_id=model.pad_id)
    assert whole.trained == [f"network.{name}" for name, _ in model.network.named_parameters()]
    assert "network.shared.weight" in whole.trained
    assert "network.lm_head.weight" not in whole.trained, "it is tied to the embeddings"


@pytest.mark.parametrize("trains", ["prompt", "weights"])
def test_state_that_is_read_and_written_goes_on_to_the_same_bits(trains: str) -> None:
    model = loaded(tied=True)
    one = with_prompt(model) if trains == "prompt" else TrainableModel(model.network, None, joined=False, pad_id=0)
    other = copy.deepcopy(one)
    first, second = adamw(one), adamw(other)
    steps(one, first, range(3))
    weights, slots = read_weights(one, one.trained), read_optimizer(one, first)
    assert list(weights) == one.trained
    assert set(slots) == set(one.trained)
    assert all(set(each) == {"step", "exp_avg", "exp_avg_sq"} for each in slots.values())
    kept = {name: tensor.clone() for name, tensor in weights.items()}
    steps(one, first, range(3, 5))
    assert all(torch.equal(weights[name], kept[name]) for name in kept), "what was read is a copy"

    write_weights(other, weights)
    write_optimizer(other, second, slots)
    steps(other, second, range(3, 5))
    ends = [dict(module.named_parameters()) for module in (one, other)]
    for name in one.trained:
        assert torch.equal(ends[0][name], ends[1][name]), name
        assert not torch.equal(ends[0][name], weights[name]), name


def test_the_hash_is_of_names_types_shapes_and_bytes() -> None:
    network = nn.Linear(2, 3, bias=False)
    digest = hashlib.blake2b(digest_size=16)
    digest.update(b"weight\0torch.float32\0(3, 2)\0" + network.weight.detach().numpy().tobytes())
    assert weights_hash(network) == digest.hexdigest()


def test_the_hash_sees_one_bit_and_buffers() -> None:
    network = nn.BatchNorm1d(4)
    before = weights_hash(network)
    assert weights_hash(copy.deepcopy(network)) == before
    with torch.no_grad():
        network.weight[2] = torch.nextafter(network.weight[2], torch.tensor(2.0))
    changed = weights_hash(network)
    assert changed != before
    network.running_mean[0] = 1e-30  # type: ignore[index]
    assert weights_hash(network) != changed
    assert weights_hash(network.double()) != weights_hash(copy.deepcopy(network).float())
