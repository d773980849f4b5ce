"""Linear layers with weights stored in the blocked layout of oneDNN's matrix products, on CPUs where that is faster.

The same sums in another order: results differ from `torch.nn.Linear` by rounding only (of float32; with bfloat16
weights, by that of bfloat16). The gain depends on the CPU: on
some, the library that torch uses otherwise reaches half of the peak performance; on others the two are close. Packing
only changes the memory layout, so `state_dict()` returns the plain weights bit for bit, and packing can be undone.
"""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from phraseproof.engine.cpu.onednn import operator, product
from phraseproof.engine.network import AutogradContext
from phraseproof.engine.trial import same_features

_SMALLEST = 64 * 64
"""Below this number of weights the call costs more than the product."""

_LARGEST_TIED = 2**28
"""A matrix that another module also needs unpacked is packed in addition, up to this number of bytes."""

_CAPABILITIES = ("AVX2", "AVX512")
"""As torch names what a CPU can do. Whether layers are packed changes the last bits of every score, so a fixed rule
decides and no measurement: equal commands give equal numbers on a machine."""

_TRIAL_ROWS = 5
_HALF = 2e-2
"""By how much products in bfloat16 may differ, relative to the largest."""


class PackedLinear(nn.Module):
    """A frozen `torch.nn.Linear` with packed weights. Gradients flow to its input, never to its weights.

    Args:
        weight: [out features, in features], float32 or bfloat16, on a CPU. It is copied. With bfloat16, both factors of
            the product are rounded to it, and so is the result, which is float32 again.
        bias: [out features] or `None`.
        is_transposed: whether the plain layer keeps its weights as [in features, out features], as `Conv1D` does.
    """

    weight: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None, *, is_transposed: bool = False) -> None:
        super().__init__()
        self.is_transposed = is_transposed
        self.out_features, self.in_features = weight.shape
        # An opaque tensor: its shape and type can be read, its entries only through `to_dense`.
        self.register_buffer("weight", _packed(weight.detach()))
        self.register_buffer("bias", None if bias is None else bias.detach().float())
        self._transposed: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[..., in features] to [..., out features], float32."""
        if torch.is_grad_enabled() and x.requires_grad:
            return _FrozenProduct.apply(x, self)  # pyright: ignore[reportReturnType] - untyped in torch
        return self.applied(x)

    @property
    def is_half(self) -> bool:
        """Whether the factors of products are bfloat16."""
        return self.weight.dtype == torch.bfloat16

    def applied(self, x: torch.Tensor) -> torch.Tensor:
        """As `forward`, without gradients."""
        if not self.is_half:
            return product(x, self.weight, self.bias)
        found = product(x.bfloat16(), self.weight, None).float()
        return found if self.bias is None else found.add_(self.bias)

    def activated(self, x: torch.Tensor, activation: str, algorithm: str = "") -> torch.Tensor:
        """`activation(self(x))`, in one pass where that is faster, in the precision of the weights. No gradients.

        Args:
            x: [..., in features], in the precision of the weights.
            activation: as oneDNN calls it: `gelu` (with the algorithm `tanh` or `none`), `swish`, `relu`.
            algorithm: of the activation, where it has several.
        """
        if self.is_half or _one_pass_pays():
            return operator("_linear_pointwise")(x.contiguous(), self.weight, self.bias, activation, [], algorithm)
        found = product(x, self.weight, self.bias)
        if activation == "gelu":
            return functional.gelu(found, approximate=algorithm)
        return {"swish": functional.silu, "relu": functional.relu}[activation](found, inplace=True)

    def times(self, x: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
        """`self(x) * factor`, as `activated`; all in the precision of the weights. No gradients."""
        if not (self.is_half or _one_pass_pays()):
            return product(x, self.weight, self.bias).mul_(factor)
        return operator("_linear_pointwise").binary(x.contiguous(), factor, self.weight, self.bias, "mul")

    def input_gradient(self, gradient: torch.Tensor) -> torch.Tensor:
        """The gradient with respect to the input: `gradient @ weight`. Packs the transposed weights on first use."""
        if self._transposed is None:
            self._transposed = _packed(self.weight.to_dense().t().contiguous())
        return product(gradient.to(self._transposed.dtype), self._transposed, None).to(gradient.dtype)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination[prefix + "weight"] = self.weight.to_dense()

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class _FrozenProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: AutogradContext, x: torch.Tensor, layer: PackedLinear) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.layer = layer
        return layer.applied(x)

    @staticmethod
    def backward(ctx: AutogradContext, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return ctx.layer.input_gradient(gradient), None


def pack_linear_layers(
    network: nn.Module,
    dtype: torch.dtype = torch.float32,
    *,
    but: nn.Module | None = None,
    tried: Collection[nn.Module] = (),
) -> int:
    """Put a `PackedLinear` in the place of every frozen linear layer; the unpacked weights go.

    Layers that are trained, small, of a subclass, hooked, on another device or in another precision stay as they are,
    and so does a large head that shares its weights with the embeddings. A layer whose packed products are wrong stays,
    too.

    Args:
        network: any module, transformers' `Conv1D` layers included; changed in place.
        dtype: of the layers that are packed: float32 or bfloat16.
        but: a layer that is left as it is.
        tried: layers whose packed products the caller compares. Of these, only the first of each shape is tried here.

    Returns:
        How many layers were packed.
    """
    from transformers.pytorch_utils import Conv1D

    users: dict[int, int] = {}
    for module in network.modules():
        for parameter in module.parameters(recurse=False):
            users[id(parameter)] = users.get(id(parameter), 0) + 1
    tried_ids = {id(layer) for layer in tried}
    shapes: set[tuple[object, ...]] = set()
    done = 0
    for parent in list(network.modules()):
        child: Any
        for name, child in list(parent.named_children()):
            if child is but or type(child) not in {nn.Linear, Conv1D} or not _can_pack(child.weight, dtype):
                continue
            if "forward" in vars(child) or child._forward_hooks or child._forward_pre_hooks:  # noqa: SLF001
                continue
            size = child.weight.numel()
            if size < _SMALLEST or (users[id(child.weight)] > 1 and 4 * size > _LARGEST_TIED):
                continue
            shape = (type(child), child.bias is None, *child.weight.shape)
            packed = _pack_layer(
                child, is_transposed=type(child) is Conv1D, is_tried=id(child) in tried_ids and shape in shapes
            )
            shapes.add(shape)
            if packed is not None:
                setattr(parent, name, packed.train(child.training))
                done += 1
    return done


def unpack_linear_layers(network: nn.Module) -> None:
    """Undo `pack_linear_layers`: plain layers with the same weights, bit for bit."""
    from transformers.pytorch_utils import Conv1D

    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is not PackedLinear:
                continue
            plain: Any
            if child.is_transposed:
                plain, weight = Conv1D(child.out_features, child.in_features), child.weight.to_dense().t().contiguous()
            else:
                plain = nn.Linear(child.in_features, child.out_features, bias=child.bias is not None)
                weight = child.weight.to_dense()
            plain.weight = nn.Parameter(weight, requires_grad=False)
            bias = None if child.bias is None else child.bias.to(weight.dtype)
            plain.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)
            setattr(parent, name, plain.train(child.training))


@functools.cache
def packing_pays() -> bool:
    """Whether linear layers are packed on this CPU: an x86 CPU with AVX2 or more, and a torch with packed products."""
    if not torch.backends.mkldnn.is_available():
        return False
    if not torch.backends.cpu.get_cpu_capability().startswith(_CAPABILITIES):
        return False
    with torch.inference_mode():
        return _pack_layer(nn.Linear(64, 96).requires_grad_(False)) is not None


@functools.cache
def _one_pass_pays() -> bool:
    """Whether oneDNN is faster when it applies activations and factors inside a product.

    On a CPU with AVX2 alone (Zen 3), products with `swish` inside took 1.12 to 1.21 times as long as with torch's after
    them, with `gelu` 1.14 to 1.19, and with a factor 1.03 to 1.07.
    """
    return torch.backends.cpu.get_cpu_capability() != "AVX2"


@torch.inference_mode()
def _pack_layer(layer: Any, *, is_transposed: bool = False, is_tried: bool = False) -> PackedLinear | None:
    """A layer packed, or `None` where that cannot be done or, unless `is_tried`, does not give the same products."""
    weight = layer.weight.t() if is_transposed else layer.weight
    x = torch.linspace(-1, 1, _TRIAL_ROWS * weight.shape[1]).view(_TRIAL_ROWS, -1)
    try:
        packed = PackedLinear(weight, layer.bias, is_transposed=is_transposed)
        if is_tried:
            return packed
        found = packed(x)
    except (RuntimeError, NotImplementedError, AttributeError):  # a torch or a CPU without these products
        return None
    # Products in bfloat16 are compared with those of the same weights in float32.
    expected = nn.functional.linear(x, weight.float(), None if layer.bias is None else layer.bias.float())
    if not packed.is_half:
        return packed if same_features(found, expected, is_one_product=True) else None
    allowed = _HALF * max(1.0, float(expected.abs().max()))
    return packed if torch.allclose(found, expected, rtol=_HALF, atol=allowed) else None


def _can_pack(weight: Any, dtype: torch.dtype) -> bool:
    plain = type(weight) in {nn.Parameter, torch.Tensor} and weight.layout == torch.strided
    return bool(plain and weight.device.type == "cpu" and weight.dtype == dtype and not weight.requires_grad)


def _packed(weight: torch.Tensor) -> torch.Tensor:
    return operator("_reorder_linear_weight")(weight.contiguous(), _ROWS)


_ROWS = 512
"""How many rows a product has, roughly; the layout depends on it only because other layouts are faster for few rows."""
