"""Half-precision products on CPUs without units for them: computed in float32 and rounded.

Such a product is defined as that of half-precision factors, summed in float32 and rounded. torch's own takes seven
times as long as float32 on a CPU with AVX2. Widening the weights for each product takes a fifth more than float32, and
memory for a piece of one layer.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers.pytorch_utils import Conv1D

_HALF = {torch.bfloat16, torch.float16}
_LAYERS = {nn.Linear, Conv1D}

_PIECE = 2**22
"""The most weights that are float32 at a time: 16 MB."""


def widen_products(network: nn.Module) -> int:
    """Let the linear layers in half precision multiply in float32. Weights stay as they are, and so do gradients.

    Args:
        network: on a CPU; changed in place. Layers of a subclass, and those whose forward was replaced, stay.

    Returns:
        How many layers were changed.
    """
    layers = [
        module
        for module in network.modules()
        if type(module) in _LAYERS and module.weight.dtype in _HALF and "forward" not in vars(module)
    ]
    for layer in layers:
        layer.forward = _WidenedProduct(layer)
    return len(layers)


def undo_widening(network: nn.Module) -> None:
    """Undo `widen_products`: layers run their own forward pass again."""
    for module in network.modules():
        if isinstance(vars(module).get("forward"), _WidenedProduct):
            del module.forward


class _WidenedProduct:
    def __init__(self, layer: Any) -> None:
        self._layer = layer

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """[..., in features] to [..., out features], in the precision of the input."""
        weight: torch.Tensor = self._layer.weight
        if type(self._layer) is Conv1D:
            weight = weight.t()
        bias: torch.Tensor | None = self._layer.bias
        rows = max(1, _PIECE // weight.shape[1])
        wide = x.float()
        pieces = [
            functional.linear(
                wide,
                weight[first : first + rows].float(),
                None if bias is None else bias[first : first + rows].float(),
            ).to(x.dtype)
            for first in range(0, weight.shape[0], rows)
        ]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=-1)
