"""Layers that are run again give equal logits and gradients, and less is kept for the backward pass."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

import pytest
import torch
from torch import nn

from phraseproof.alignment.soft_prompt import SoftPrompt
from phraseproof.engine.training.forward import TargetForward, TargetRow
from phraseproof.engine.training.gradient_checkpointing import CheckpointedLayers, run_again_in
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models

ROWS = [
    TargetRow(tuple(range(5, 17)), (9, 31, 40)),
    TargetRow(tuple(range(5, 14)), (9, 31, 40)),
    TargetRow(tuple(range(60, 140)), (12,)),
]


def forward_of(family: str, *, is_frozen: bool) -> tuple[Any, TargetForward, list[torch.Tensor]]:
    model = load_model(str(tiny_models.TRAINABLE[family]()), ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    network: Any = model.network.requires_grad_(not is_frozen)
    soft = None
    if is_frozen:
        soft = SoftPrompt.create(
            network, n=3, placement="input", init="random-vocabulary", seed=2, tokenizer=model.tokenizer
        )
    forward = TargetForward(network, joined=model.is_decoder_only, pad_id=model.pad_id, soft=soft)
    return network, forward, [soft.weight] if soft is not None else list(network.parameters())


@contextlib.contextmanager
def kept_tensors() -> Generator[list[int]]:
    """The sizes of what is kept for the backward pass, in numbers."""
    sizes: list[int] = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        yield sizes


def replaced_forwards(network: nn.Module) -> set[str]:
    return {name for name, module in network.named_modules() if "forward" in vars(module)}


@pytest.mark.parametrize("is_frozen", [True, False])
@pytest.mark.parametrize("family", tiny_models.TRAINABLE)
def test_losses_and_gradients_are_equal_and_less_is_kept(family: str, is_frozen: bool) -> None:
    network, forward, trained = forward_of(family, is_frozen=is_frozen)
    forward(ROWS)  # what is tried at the first use keeps tensors too
    before = replaced_forwards(network)
    layers = CheckpointedLayers(network)
    assert len(layers) > 0
    logits: list[torch.Tensor] = []
    gradients: list[list[torch.Tensor]] = []
    kept: list[int] = []
    for context in (contextlib.nullcontext, layers.in_place):
        with context(), kept_tensors() as sizes:
            found = forward(ROWS, without_graph=[1])
        kept.append(sum(sizes))
        logits.append(found.logits.detach())
        # After the context, as an optimizer's step does it.
        loss = found.logits.square().mean() + found.logits.logsumexp(-1).mean()
        gradients.append(list(torch.autograd.grad(loss, trained, materialize_grads=True)))
    assert torch.equal(*logits)
    assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))
    assert any(bool(gradient.any()) for gradient in gradients[0])
    assert kept[1] < 0.7 * kept[0]
    assert replaced_forwards(network) == before


def test_networks_without_such_layers_have_none() -> None:
    assert len(CheckpointedLayers(nn.Sequential(nn.Linear(2, 2)))) == 0


def test_the_surroundings_of_a_pass_are_entered_and_left() -> None:
    seen: list[str] = []

    @contextlib.contextmanager
    def surroundings() -> Generator[None]:
        seen.append("in")
        yield
        seen.append("out")

    with run_again_in(surroundings):
        assert seen == ["in"]
    assert seen == ["in", "out"]
