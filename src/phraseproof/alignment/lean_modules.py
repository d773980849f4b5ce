"""Norms and activations in fewer passes over memory, forward and backward, for a network whose weights are frozen.

The same functions in another order of operations: results differ by rounding. They stand in for a network's own only
while a pass runs, so nothing else that is computed with the network changes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.activations import NewGELUActivation


class _Substitute(NamedTuple):
    module: nn.Module
    forward: Callable[[Tensor], Tensor]


class LeanModules:
    """What can be put in place of a network's modules.

    Args:
        network: any module; not changed.
    """

    def __init__(self, network: nn.Module) -> None:
        self._substitutes = [
            _Substitute(module, forward)
            for module in network.modules()
            if (forward := _lean_forward(module)) is not None
        ]

    def __len__(self) -> int:
        return len(self._substitutes)

    @contextlib.contextmanager
    def in_place(self) -> Generator[None]:
        """Run with the substitutes, for a while."""
        plain = [vars(module).get("forward") for module, _ in self._substitutes]
        try:
            for module, forward in self._substitutes:
                module.forward = forward
            yield
        finally:
            for (module, _), before in zip(self._substitutes, plain, strict=True):
                if before is None:
                    del module.forward
                else:
                    module.forward = before


def _lean_forward(module: Any) -> Callable[[Tensor], Tensor] | None:
    if type(module) is NewGELUActivation:
        return _tanh_gelu
    epsilon = getattr(module, "variance_epsilon", None)
    weights = list(module.parameters())
    if not isinstance(epsilon, float) or len(weights) != 1 or weights[0].dim() != 1:
        return None
    norm = _Norm(weights[0], epsilon)
    # Not told by its name but tried: some norms of this kind add one to their weights.
    with torch.no_grad():
        some = torch.linspace(-3, 5, 2 * weights[0].numel(), device=weights[0].device, dtype=weights[0].dtype)
        some = some.view(2, -1)
        return norm if torch.allclose(module(some), norm(some), rtol=1e-4, atol=1e-5) else None


def _tanh_gelu(x: Tensor) -> Tensor:
    return functional.gelu(x, approximate="tanh")


class _Norm(NamedTuple):
    weight: Tensor
    epsilon: float

    def __call__(self, x: Tensor) -> Tensor:
        return _RootMeanSquareNorm.apply(x, self.weight, self.epsilon)  # pyright: ignore[reportReturnType] - untyped in torch


class _RootMeanSquareNorm(torch.autograd.Function):
    """x times weight over the root of the mean of the squares of x; the weight gets no gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, epsilon: float) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        squares = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_()
        scale = squares.div_(x.shape[-1]).add_(epsilon).rsqrt_()
        ctx.save_for_backward(x, weight, scale)
        return (x * scale).mul_(weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, weight, scale = ctx.saved_tensors
        weighted = gradient * weight
        along = (weighted * x).sum(-1, keepdim=True).mul_(scale**3 / -x.shape[-1])
        return weighted.mul_(scale).addcmul_(x, along), None, None
