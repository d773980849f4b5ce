"""Gated feed-forward layers with gradients to their input, which keep two tensors for the backward pass, not three."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from phraseproof.engine.cpu.fused_mlp import NAMES, activation_in_onednn
from phraseproof.engine.cpu.onednn import fastest_product
from phraseproof.engine.network import AutogradContext


class GatedMLP(NamedTuple):
    """A gated layer's frozen linear layers, and its activation and its derivative.

    Attributes:
        gate, up, down: `down(activation(gate(x)) * up(x))`.
        activation: torch's function.
        through: its derivative: (gradient, input) to the gradient of the input.
    """

    gate: nn.Linear
    up: nn.Linear
    down: nn.Linear
    activation: Callable[[Tensor], Tensor]
    through: Callable[[Tensor, Tensor], Tensor]


def gated_mlp_of(module: object) -> GatedMLP | None:
    """The parts of a gated feed-forward layer, or `None` for any other module."""
    for names in NAMES:
        gate, up, down = (getattr(module, name, None) for name in names[:3])
        known = _ACTIVATIONS.get(activation_in_onednn(getattr(module, names[3], None)))
        # The exact type, because a subclass (LoRA, for example) may compute something else.
        if known is not None and type(gate) is nn.Linear and type(up) is nn.Linear and type(down) is nn.Linear:
            return GatedMLP(gate, up, down, *known)
    return None


class GatedFeedForward:
    """The layer as one node of the autograd graph.

    Args:
        parts: frozen, float32, on a CPU.
    """

    def __init__(self, parts: GatedMLP) -> None:
        self._parts = parts

    def __call__(self, x: Tensor) -> Tensor:
        """[..., width] to [..., width]."""
        if not (torch.is_grad_enabled() and x.requires_grad):
            parts = self._parts
            return _linear(parts.down, parts.activation(_linear(parts.gate, x)).mul_(_linear(parts.up, x)))
        return _Gated.apply(x, self._parts)  # pyright: ignore[reportReturnType] - untyped in torch


class _Gated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: AutogradContext, x: Tensor, parts: GatedMLP) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        gate, up = _linear(parts.gate, x), _linear(parts.up, x)
        active = parts.activation(gate)
        # Kept are the two factors of the product's gradient, one per side; `gate` and `up` are not needed again.
        for_up, for_gate = active, parts.through(up, gate)
        del gate
        ctx.save_for_backward(for_up, for_gate)
        ctx.parts = parts
        # In place: `up` was read for the last time by `through`, and the layer's widest tensor is not allocated again.
        return _linear(parts.down, up.mul_(active))

    @staticmethod
    def backward(ctx: AutogradContext, gradient: Tensor) -> tuple[Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        for_up, for_gate = ctx.saved_tensors
        parts: GatedMLP = ctx.parts
        of_product = _back(parts.down, gradient)
        found = _back(parts.gate, of_product * for_gate)
        return found.add_(_back(parts.up, of_product.mul_(for_up))), None


def _linear(layer: nn.Linear, x: Tensor) -> Tensor:
    return fastest_product(x, layer.weight, layer.bias)


def _back(layer: nn.Linear, gradient: Tensor) -> Tensor:
    return fastest_product(gradient, layer.weight.t(), None)


def tanh_gelu(x: Tensor) -> Tensor:
    """Compute transformers' `NewGELUActivation` in one pass over memory instead of eight."""
    return functional.gelu(x, approximate="tanh")


def _through_tanh_gelu(gradient: Tensor, x: Tensor) -> Tensor:
    return torch.ops.aten.gelu_backward(gradient, x, approximate="tanh")


_ACTIVATIONS: dict[tuple[str, str] | None, tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]] = {
    ("swish", ""): (functional.silu, torch.ops.aten.silu_backward),
    ("gelu", "none"): (functional.gelu, torch.ops.aten.gelu_backward),
    ("gelu", "tanh"): (tanh_gelu, _through_tanh_gelu),
}
"""By the name and algorithm that oneDNN has for them."""
