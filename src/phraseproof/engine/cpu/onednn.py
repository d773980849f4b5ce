"""oneDNN's matrix products, which torch offers for inference only and without public names. Fast on all makers' CPUs.

Weights may be plain, with any strides, or packed beforehand (`packed_linear.py`), which is a little faster.
The library that torch uses otherwise (MKL) is close on some CPUs and half as fast on others.
"""

from __future__ import annotations

import functools
import os
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from phraseproof.engine.network import AutogradContext

# A kernel is kept for every number of rows that a product has had. Batches without padding rarely have the same
# number twice, so the kept kernels only take memory. Two caches hold them, oneDNN's and one of torch's in front of it,
# each up to 1,024 unless set before the first product; a pass uses fewer than 16 at a time.
for _cache in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
    os.environ.setdefault(_cache, "16")


class Operator(Protocol):
    """A oneDNN operator of torch, with the overload that takes a second tensor. Torch has no types for them."""

    def __call__(self, *arguments: object) -> Tensor: ...

    def binary(self, *arguments: object) -> Tensor: ...


def product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Compute `x @ weight.T + bias`. No gradients.

    Args:
        x: [..., in features], float32, on a CPU.
        weight: [out features, in features], plain (possibly a transposed view) or packed.
        bias: [out features] or `None`.
    """
    return operator("_linear_pointwise")(x.contiguous(), weight, bias, "none", [], "")


def fastest_product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Compute `product` where it is available for such tensors, with plain weights; else torch's own. No gradients.

    Of float32 with bfloat16 weights, the factors are bfloat16, and so is the sum before the bias.
    """
    if weight.dtype == torch.bfloat16 and x.dtype == torch.float32:
        found = functional.linear(x.bfloat16(), weight).float()
        return found if bias is None else found.add_(bias)
    with_onednn = x.dtype == torch.float32 and x.device.type == "cpu" and has_products()
    return (product if with_onednn else functional.linear)(x, weight, bias)


def frozen_linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Compute `fastest_product`, with a gradient to `x` alone."""
    return _FrozenLinear.apply(x, weight, bias)  # pyright: ignore[reportReturnType] - untyped in torch


@functools.cache
def has_products() -> bool:
    """Whether products with plain weights are available here and correct, as stored and transposed."""
    if not torch.backends.mkldnn.is_available():
        return False
    # Tried, because the operators are private and may differ between versions of torch. Transposed weights are
    # tried too: the backward pass of frozen layers needs them.
    x, weight = torch.linspace(-1, 1, 3 * 32).view(3, 32), torch.linspace(-2, 1, 48 * 32).view(48, 32)
    try:
        with torch.no_grad():
            forward = product(x, weight, None)
            found = (forward, product(forward, weight.t(), None))
    except (RuntimeError, AttributeError):  # this torch or this CPU does not have them
        return False
    expected = (x @ weight.t(), x @ weight.t() @ weight)
    return all(torch.allclose(one, other, rtol=1e-4, atol=1e-4) for one, other in zip(found, expected, strict=True))


@functools.cache
def operator(name: str) -> Operator:
    """One of torch's oneDNN operators."""
    return getattr(torch.ops.mkldnn, name)


class _FrozenLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: AutogradContext, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        # The input is not saved: only a gradient of the weights would need it, and they are frozen.
        ctx.save_for_backward(weight)
        return fastest_product(x, weight, bias)

    @staticmethod
    def backward(ctx: AutogradContext, gradient: Tensor) -> tuple[Tensor, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (weight,) = ctx.saved_tensors
        return fastest_product(gradient, weight.t(), None), None, None
