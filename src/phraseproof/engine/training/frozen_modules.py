"""Faster forward and backward passes of modules whose weights are frozen, adapters apart.

The same functions in another order of operations: results differ by rounding. They replace the network's own only
during a pass, so nothing else that uses the network changes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.activations import NewGELUActivation
from transformers.pytorch_utils import Conv1D

from phraseproof.engine.cpu.onednn import frozen_linear, has_products
from phraseproof.engine.network import AutogradContext
from phraseproof.engine.training.frozen_mlp import GatedFeedForward, gated_mlp_of, tanh_gelu
from phraseproof.engine.training.low_rank import LowRankLinear

_SMALLEST = 64 * 64
"""With fewer weights the call costs more than the product."""


class _Substitute(NamedTuple):
    module: nn.Module
    forward: Callable[[Tensor], Tensor]


class FrozenModules:
    """Substitutes for the forward of a network's modules. A forward that was replaced before stays.

    Linear layers with a low-rank adapter get substitutes too (`low_rank.py`); other trained weights are left alone.

    Args:
        network: on a CPU, frozen except for adapters; not changed. The substitutes of a bfloat16 network read and give
            float32; factors of products with frozen weights are rounded to bfloat16.
    """

    def __init__(self, network: nn.Module) -> None:
        # A forward in `vars(module)` is a replacement that somebody made, for example accelerate's hooks.
        self._substitutes = [
            _Substitute(module, forward)
            for module in network.modules()
            if "forward" not in vars(module) and (forward := _frozen_forward(module)) is not None
        ]

    def __len__(self) -> int:
        return len(self._substitutes)

    @contextlib.contextmanager
    def in_place(self) -> Generator[None]:
        """Run with the substitutes inside the context."""
        plain = [vars(module).get("forward") for module, _ in self._substitutes]
        try:
            for module, forward in self._substitutes:
                module.forward = forward
            yield
        finally:
            for (module, _), before in zip(self._substitutes, plain, strict=True):
                # Deleted, so that the class's own method is used again and the network is as it was.
                if before is None:
                    del module.forward
                else:
                    module.forward = before


def _frozen_forward(module: nn.Module) -> Callable[[Tensor], Tensor] | None:
    if (adapted := LowRankLinear.of(module)) is not None:
        return _if_it_agrees(adapted, module, adapted.weight)
    if any(weight.requires_grad for weight in module.parameters()):
        return None
    if type(module) is NewGELUActivation:
        return tanh_gelu
    if (parts := gated_mlp_of(module)) is not None:
        return _if_it_agrees(GatedFeedForward(parts), module, parts.gate.weight)
    if type(module) is nn.Linear or type(module) is Conv1D:
        return _Product.of(module)
    if type(module) is nn.LayerNorm and any(weight.dtype == torch.bfloat16 for weight in module.parameters()):
        return _exact_layer_norm(module)
    epsilon = getattr(module, "variance_epsilon", None)
    weights = list(module.parameters())
    if not isinstance(epsilon, float) or len(weights) != 1 or weights[0].dim() != 1:
        return None
    # Tried, because names do not say what a norm computes: those of Gemma add one to their weights.
    return _if_it_agrees(_Norm(weights[0], epsilon), module, weights[0])


def _if_it_agrees(
    packed: Callable[[Tensor], Tensor], module: Callable[[Tensor], Tensor], like: Tensor
) -> Callable[[Tensor], Tensor] | None:
    """Return the substitute if it agrees with the module on two rows as wide as the last dimension of `like`."""
    with torch.no_grad():
        width = like.shape[-1]
        is_half = like.dtype == torch.bfloat16
        # Not symmetric and not of mean zero, so that a norm that subtracts the mean does not agree.
        some = torch.linspace(-3, 5, 2 * width, dtype=like.dtype, device=like.device).view(1, 2, width)
        expected = module(some)
        relative, absolute = (3e-2, 1e-2) if is_half else (1e-4, 1e-5)
        close = absolute * max(1.0, float(expected.abs().max()))
        found = packed(some.float()).bfloat16() if is_half else packed(some)
        return packed if torch.allclose(expected, found, rtol=relative, atol=close) else None


def _exact_layer_norm(norm: nn.LayerNorm) -> Callable[[Tensor], Tensor]:
    """In float32, with weights that were rounded to bfloat16: torch has no such mixture."""
    exact = {name: value.detach().float() for name, value in norm.named_parameters()}
    return lambda x: functional.layer_norm(x, norm.normalized_shape, exact["weight"], exact.get("bias"), norm.eps)


class _Product(NamedTuple):
    """A frozen linear layer, computed by oneDNN with its weights as they are."""

    weight: Tensor
    bias: Tensor | None

    @classmethod
    def of(cls, layer: nn.Linear | Conv1D) -> _Product | None:
        weight = layer.weight
        if weight.device.type != "cpu":
            return None
        fits = weight.dtype == torch.float32 and weight.numel() >= _SMALLEST and has_products()
        if not fits and weight.dtype != torch.bfloat16:
            return None
        return cls(weight.t() if type(layer) is Conv1D else weight, layer.bias)

    def __call__(self, x: Tensor) -> Tensor:
        return frozen_linear(x, self.weight, self.bias)


class _Norm(NamedTuple):
    weight: Tensor
    epsilon: float

    def __call__(self, x: Tensor) -> Tensor:
        return _RootMeanSquareNorm.apply(x, self.weight, self.epsilon)  # pyright: ignore[reportReturnType] - untyped in torch


class _RootMeanSquareNorm(torch.autograd.Function):
    """x times weight over the root of the mean of the squares of x; the weight gets no gradient."""

    @staticmethod
    def forward(ctx: AutogradContext, x: Tensor, weight: Tensor, epsilon: float) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        # `vector_norm` squares and sums in one pass; `x.pow(2).mean()` would write all squares to memory first.
        squares = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_()
        scale = squares.div_(x.shape[-1]).add_(epsilon).rsqrt_()
        ctx.save_for_backward(x, weight, scale)
        return (x * scale).mul_(weight)

    @staticmethod
    def backward(ctx: AutogradContext, gradient: Tensor) -> tuple[Tensor, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, weight, scale = ctx.saved_tensors
        weighted = gradient * weight
        # With s = 1 / sqrt(mean(x²) + epsilon): the gradient is s g w - x s³ mean(g w x).
        along = (weighted * x).sum(-1, keepdim=True).mul_(scale**3 / -x.shape[-1])
        return weighted.mul_(scale).addcmul_(x, along), None, None
