"""Layers with low-rank adapters, alone and in a packed pass: outputs and gradients are those of PEFT and autograd."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from phraseproof.alignment.low_rank import LowRankAdapter
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.engine.network import Network
from phraseproof.engine.training.forward import TargetForward, TargetRow
from phraseproof.engine.training.frozen_modules import FrozenModules
from phraseproof.engine.training.low_rank import LowRankLinear
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models

FOLDERS = {
    "llama": tiny_models.tiny_llama,
    "gpt2": tiny_models.tiny_gpt2,
    "gemma2": tiny_models.tiny_gemma2,
    "gpt-neox": tiny_models.tiny_gpt_neox,
    "t5": tiny_models.tiny_t5,
}
ROWS = [
    TargetRow(tuple(range(5, 17)), (9, 31)),
    TargetRow((*range(5, 14), 40, 41), (12, 13, 14)),
    TargetRow(tuple(range(40, 47)), (12,)),
    TargetRow(tuple(range(5, 17)), (31, 8, 20)),
]


class Net(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.ModuleDict({"own": layer})])


def stirred(module: nn.Module) -> dict[str, nn.Parameter]:
    """The adapter's parameters, with values as after training, in the order of their names."""
    generator = torch.Generator().manual_seed(4)
    found = {name: value for name, value in module.named_parameters() if ".lora_" in f".{name}"}
    with torch.no_grad():
        for value in found.values():
            value.requires_grad_(True).add_(0.2 * torch.randn(value.shape, generator=generator))
    return found


def adapted(layer: nn.Module, *, uses_dora: bool, **options: Any) -> Any:
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(r=3, lora_alpha=5, target_modules=["own"], use_dora=uses_dora, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net: Any = inject_adapter_in_model(config, Net(layer.requires_grad_(False)))
    return net.layers[0]["own"].eval()


@pytest.mark.parametrize("uses_dora", [False, True])
@pytest.mark.parametrize(
    "layer", [nn.Linear(80, 96), nn.Linear(80, 96, bias=False), Conv1D(96, 80)], ids=["bias", "plain", "Conv1D"]
)
def test_a_layer_has_peft_s_output_and_gradients(layer: nn.Module, uses_dora: bool) -> None:
    module = adapted(layer, uses_dora=uses_dora)
    parameters = stirred(module)
    assert len(parameters) == (3 if uses_dora else 2)
    ours = LowRankLinear.of(module)
    assert ours is not None
    x = torch.randn(2, 7, 80, generator=torch.Generator().manual_seed(1)).requires_grad_()
    weights = torch.randn(2, 7, 96, generator=torch.Generator().manual_seed(2))
    expected, found = module(x), ours(x)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    inputs = [x, *parameters.values()]
    theirs = torch.autograd.grad((expected * weights).sum(), inputs)
    own = torch.autograd.grad((found * weights).sum(), inputs)
    for one, other in zip(own, theirs, strict=True):
        assert float((one - other).norm()) < 1e-5 * float(other.norm())
    with torch.no_grad():
        torch.testing.assert_close(ours(x), expected, atol=1e-5, rtol=1e-4)


def test_layers_of_another_kind_are_left_to_peft() -> None:
    assert LowRankLinear.of(nn.Linear(80, 96)) is None
    assert LowRankLinear.of(adapted(nn.Linear(80, 96), uses_dora=False, lora_dropout=0.1)) is None
    assert LowRankLinear.of(adapted(nn.Linear(80, 96), uses_dora=False, lora_bias=True)) is None
    off = adapted(nn.Linear(80, 96), uses_dora=False)
    off.enable_adapters(enabled=False)
    assert LowRankLinear.of(off) is None
    merged = adapted(nn.Linear(80, 96), uses_dora=False)
    merged.merge()
    assert LowRankLinear.of(merged) is None


def test_the_matrices_of_an_adapter_with_dropout_keep_their_gradients() -> None:
    module = adapted(nn.Linear(2048, 2048), uses_dora=False, lora_dropout=0.1)
    parameters = stirred(module)
    with FrozenModules(module).in_place():
        module(torch.ones(1, 2048)).sum().backward()
    assert all(parameter.grad is not None for parameter in parameters.values())


def gradients(logits: list[torch.Tensor], network: Network) -> dict[str, torch.Tensor]:
    """Of a loss that weighs all logits, and the cross-entropies of rows differently."""
    parts = [
        (place + 1) * torch.nn.functional.cross_entropy(own, torch.tensor(row.target)) + own.square().mean()
        for place, (own, row) in enumerate(zip(logits, ROWS, strict=True))
    ]
    names = [name for name, value in network.named_parameters() if value.requires_grad]
    found = torch.autograd.grad(torch.stack(parts).sum(), [network.get_parameter(name) for name in names])
    return dict(zip(names, found, strict=True))


def plain_logits(network: Network, row: TargetRow) -> torch.Tensor:
    """Target logits of the network's own pass over one row."""
    if network.config.is_encoder_decoder:
        return network(input_ids=torch.tensor([row.context]), labels=torch.tensor([row.target])).logits[0]
    return network(input_ids=torch.tensor([row.context + row.target])).logits[0, -len(row.target) - 1 : -1]


@pytest.mark.parametrize("uses_dora", [False, True])
@pytest.mark.parametrize("family", FOLDERS)
def test_the_packed_pass_has_the_gradients_of_peft_and_autograd(family: str, uses_dora: bool) -> None:
    model = load_model(str(FOLDERS[family]()), ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    network = model.network
    LowRankAdapter.inject(network, AlignmentSettings(rank=3), uses_dora=uses_dora)
    network.requires_grad_(False)
    stirred(network)
    forward = TargetForward(network, joined=model.is_decoder_only, pad_id=model.pad_id, soft=None)
    assert forward.is_packed is (family != "gemma2"), "whose attention is not torch's own"
    found = forward(ROWS).logits
    own = [logits[: len(row.target)] for logits, row in zip(found, ROWS, strict=True)]
    theirs = [plain_logits(network, row) for row in ROWS]
    for one, other in zip(own, theirs, strict=True):
        # Rounding: of the T5, whose attention is not scaled, 1.9e-5 of the largest logit, and 1.4e-14 in float64.
        torch.testing.assert_close(one, other, atol=3e-5 * float(other.detach().abs().max()), rtol=1e-4)
    ours, expected = gradients(own, network), gradients(theirs, network)
    assert ours.keys() == expected.keys()
    for name, gradient in expected.items():
        assert float((ours[name] - gradient).norm()) <= 1e-4 * float(gradient.norm()), name
    detached = forward(ROWS, without_graph=[0]).logits
    torch.testing.assert_close(detached, found, atol=1e-4, rtol=1e-4)


def gradient_of(network: Network, logits: list[torch.Tensor]) -> torch.Tensor:
    return torch.cat([each.flatten() for each in gradients([own.float() for own in logits], network).values()])


@pytest.mark.parametrize("uses_dora", [False, True])
@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt-neox"])
def test_the_packed_pass_of_a_bfloat16_model_is_nearer_to_float32_than_peft_s_own(family: str, uses_dora: bool) -> None:
    model = load_model(str(FOLDERS[family]()), ModelOptions(device="cpu", dtype="bfloat16"))
    assert isinstance(model, HuggingFaceModel)
    network = model.network
    LowRankAdapter.inject(network, AlignmentSettings(rank=3), uses_dora=uses_dora)
    network.requires_grad_(False)
    stirred(network)
    forward = TargetForward(network, joined=True, pad_id=model.pad_id, soft=None)
    assert forward.is_packed
    found = forward(ROWS).logits
    assert found.dtype == torch.float32
    ours = gradient_of(network, [logits[: len(row.target)] for logits, row in zip(found, ROWS, strict=True)])

    def theirs() -> torch.Tensor:
        return gradient_of(network, [plain_logits(network, row) for row in ROWS])

    in_half = theirs()
    network.float()  # the same weights, rounded to bfloat16
    expected = theirs()
    error, error_in_half = (float((each - expected).norm()) for each in (ours, in_half))
    assert error < 0.05 * float(expected.norm())
    assert error < error_in_half
