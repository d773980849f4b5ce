"""Linear layers with weights stored in the blocked layout of oneDNN's matrix products, on CPUs where that is faster.

The same sums in another order: results differ from `torch.nn.Linear` by rounding only. The gain depends on the CPU: on
some, the library that torch uses otherwise reaches half of the peak performance; on others the two are close. Packing
only changes the memory layout, so `state_dict()` returns the plain weights bit for bit.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from phraseproof.engine.cpu.onednn import operator, product
from phraseproof.engine.network import AutogradContext

_SMALLEST = 64 * 64
"""Below this number of weights the call costs more than the product."""

_LARGEST_TIED = 2**28
"""A matrix that another module needs unpacked, too, is packed beside it up to so many bytes."""

_WORTH = 1.03
"""Packing must be faster by this factor, or the layers stay as they are."""


class PackedLinear(nn.Module):
    """A frozen `torch.nn.Linear` with packed weights. Gradients flow to its input, never to its weights.

    Args:
        weight: [out features, in features], float32, on a CPU. It is copied.
        bias: [out features] or `None`.
    """

    weight: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        # An opaque tensor: its shape and type can be asked for, its entries only through `to_dense`.
        self.register_buffer("weight", _packed(weight.detach()))
        self.register_buffer("bias", None if bias is None else bias.detach())
        self._transposed: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[..., in features] to [..., out features]."""
        if torch.is_grad_enabled() and x.requires_grad:
            return _FrozenProduct.apply(x, self)  # pyright: ignore[reportReturnType] - untyped in torch
        return product(x, self.weight, self.bias)

    def activated(self, x: torch.Tensor, activation: str, algorithm: str = "") -> torch.Tensor:
        """`activation(self(x))` in one pass. No gradients.

        Args:
            x: [..., in features].
            activation: as oneDNN calls it: `gelu` (with the algorithm `tanh` or `none`), `swish`, `relu`.
            algorithm: of the activation, where it has several.
        """
        return operator("_linear_pointwise")(x.contiguous(), self.weight, self.bias, activation, [], algorithm)

    def times(self, x: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
        """`self(x) * factor` in one pass. No gradients."""
        return operator("_linear_pointwise").binary(x.contiguous(), factor, self.weight, self.bias, "mul")

    def input_gradient(self, gradient: torch.Tensor) -> torch.Tensor:
        """The gradient with respect to the input: `gradient @ weight`. Packs the transposed weights on first use."""
        if self._transposed is None:
            self._transposed = _packed(self.weight.to_dense().t().contiguous())
        return product(gradient, self._transposed, None)

    def _save_to_state_dict(self, destination: dict[str, object], prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination[prefix + "weight"] = self.weight.to_dense()

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class _FrozenProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: AutogradContext, x: torch.Tensor, layer: PackedLinear) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.layer = layer
        return product(x, layer.weight, layer.bias)

    @staticmethod
    def backward(ctx: AutogradContext, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return ctx.layer.input_gradient(gradient), None


def pack_linear_layers(network: nn.Module) -> int:
    """Put a `PackedLinear` in the place of every frozen float32 linear layer; the unpacked weights go.

    Layers that are trained, small, of a subclass, on another device or in another precision stay as they are, and so
    does a large head that shares its weights with the embeddings.

    Args:
        network: any module, transformers' `Conv1D` layers included; changed in place.

    Returns:
        How many layers were packed.
    """
    from transformers.pytorch_utils import Conv1D

    users: dict[int, int] = {}
    for module in network.modules():
        for parameter in module.parameters(recurse=False):
            users[id(parameter)] = users.get(id(parameter), 0) + 1
    done = 0
    for parent in list(network.modules()):
        child: Any
        for name, child in list(parent.named_children()):
            if type(child) not in {nn.Linear, Conv1D} or not _can_pack(child.weight):
                continue
            size = child.weight.numel()
            if size < _SMALLEST or (users[id(child.weight)] > 1 and 4 * size > _LARGEST_TIED):
                continue
            weight = child.weight.t() if type(child) is Conv1D else child.weight
            setattr(parent, name, PackedLinear(weight, child.bias).train(child.training))
            done += 1
    return done


@functools.cache
def packing_pays() -> bool:
    """Whether packed products are faster than plain ones on this CPU, by a few milliseconds' measurement."""
    if not torch.backends.mkldnn.is_available():
        return False
    with torch.inference_mode():
        x, weight = torch.randn(256, 512), torch.randn(512, 512)
        try:
            layer = PackedLinear(weight)
            packed = _seconds(lambda: layer(x))
        except (RuntimeError, NotImplementedError, AttributeError):  # a torch or a CPU without these products
            return False
        return _seconds(lambda: nn.functional.linear(x, weight)) > _WORTH * packed


def _seconds(compute: Callable[[], object]) -> float:
    compute()
    best = float("inf")
    for _ in range(7):
        before = time.perf_counter()
        compute()
        best = min(best, time.perf_counter() - before)
    return best


def _can_pack(weight: torch.Tensor) -> bool:
    plain = type(weight) in {nn.Parameter, torch.Tensor} and weight.layout == torch.strided
    return bool(plain and weight.device.type == "cpu" and weight.dtype == torch.float32 and not weight.requires_grad)


def _packed(weight: torch.Tensor) -> torch.Tensor:
    return operator("_reorder_linear_weight")(weight.contiguous(), _ROWS)


_ROWS = 512
"""How many rows a product has, roughly; the layout depends on it only because other layouts are faster for few rows."""
