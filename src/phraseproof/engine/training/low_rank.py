"""Linear layers with a trained low-rank adapter (LoRA, DoRA) as one node of the autograd graph.

Kept for the backward pass are the layer's input and its product with A, which has as many columns as the rank; for DoRA
the layer's output too. The frozen weights are multiplied by oneDNN where that is available, and get no gradient.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from phraseproof.engine.cpu.onednn import fastest_product
from phraseproof.engine.network import AutogradContext


def is_low_rank(name: str) -> bool:
    """Whether a parameter of that name is an adapter's, as PEFT names them."""
    return ".lora_" in name


def base_name(name: str) -> str:
    """The name that a frozen parameter of the network has without an adapter."""
    return name.replace(".base_layer.", ".")


class LowRankLinear:
    """A layer's forward: (W + scale B A) x + b; for DoRA, every row of the sum scaled to the trained length.

    Args:
        weight: W, [out features, in features]; frozen.
        bias: b, [out features], or `None`; frozen.
        down, up: A, [rank, in features], and B, [out features, rank].
        scale: alpha / rank.
        magnitude: for DoRA, the lengths of the rows, [out features].
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None, down: Tensor, up: Tensor, scale: float, magnitude: Tensor | None
    ) -> None:
        self.weight = weight
        self._parts = _Parts(weight, bias, scale)
        self._down, self._up, self._magnitude = down, up, magnitude
        self._squares = None if magnitude is None else weight.detach().float().square().sum(dim=1)

    @classmethod
    def of(cls, module: nn.Module) -> LowRankLinear | None:
        """The forward of a layer with one PEFT adapter that is in use, without dropout; `None` for any other module."""
        layer: Any = module
        base: Any = getattr(module, "base_layer", None)
        active = getattr(module, "active_adapters", None)
        if type(base) not in {nn.Linear, Conv1D} or not isinstance(active, list) or len(active) != 1:
            return None
        (name,) = active
        parts = [getattr(module, part, {}) for part in ("lora_A", "lora_B", "lora_dropout", "scaling")]
        if any(name not in part for part in parts) or layer.merged or layer.disable_adapters:
            return None
        down, up, dropout, scale = (part[name] for part in parts)
        if type(dropout) is not nn.Identity or type(down) is not nn.Linear or up.bias is not None:
            return None
        magnitudes: Any = getattr(module, "lora_magnitude_vector", {})
        magnitude = magnitudes[name].weight if name in magnitudes else None
        weight = base.weight.t() if type(base) is Conv1D else base.weight
        return cls(weight, base.bias, down.weight, up.weight, float(scale), magnitude)

    def __call__(self, x: Tensor) -> Tensor:
        """[..., in features] to [..., out features]."""
        lengths = None if self._magnitude is None else self._lengths()
        return _LowRank.apply(x, self._down, self._up, self._magnitude, lengths, self._parts)  # pyright: ignore[reportReturnType] - untyped in torch

    def _lengths(self) -> Tensor:
        """The lengths of the rows of W + scale B A, which DoRA takes for constants (its section 4.3), [out features].

        |w + s b A|² = |w|² + 2 s b (A w) + s² b (A A') b': in float32, no matrix of the size of W is made.
        """
        assert self._squares is not None
        with torch.no_grad():
            scaled = self._parts.scale * self._up
            mixed = fastest_product(self._down, self.weight.float(), None).t()
            own = scaled @ (self._down @ self._down.t())
            return (self._squares + (scaled * (2 * mixed + own)).sum(dim=1)).clamp_(min=0).sqrt_()


class _Parts(NamedTuple):
    weight: Tensor
    bias: Tensor | None
    scale: float


class _LowRank(torch.autograd.Function):
    @staticmethod
    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: AutogradContext,
        x: Tensor,
        down: Tensor,
        up: Tensor,
        magnitude: Tensor | None,
        lengths: Tensor | None,
        parts: _Parts,
    ) -> Tensor:
        hidden = fastest_product(x, down, None)
        found = fastest_product(x, parts.weight, parts.bias if magnitude is None else None)
        rows = found.view(-1, found.shape[-1])
        rows.addmm_(hidden.view(-1, hidden.shape[-1]), up.t(), alpha=parts.scale)
        ctx.parts = parts
        if magnitude is None or lengths is None:
            ctx.save_for_backward(x, hidden, down, up)
            return found
        ctx.save_for_backward(x, hidden, down, up, found, magnitude, lengths)
        scaled = found * (magnitude / lengths)
        return scaled if parts.bias is None else scaled.add_(parts.bias)

    @staticmethod
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: AutogradContext, gradient: Tensor
    ) -> tuple[Tensor | None, Tensor, Tensor, Tensor | None, None, None]:
        x, hidden, down, up, *of_dora = ctx.saved_tensors
        parts: _Parts = ctx.parts
        rows = gradient.reshape(-1, gradient.shape[-1])
        of_magnitude: Tensor | None = None
        if of_dora:
            found, magnitude, lengths = of_dora
            of_magnitude = (rows * found.view(rows.shape)).sum(dim=0).div_(lengths)
            rows = rows * (magnitude / lengths)
        of_hidden = fastest_product(rows, up.t(), None).mul_(parts.scale)
        # Products of few rows with a wide matrix, transposed afterwards: the other order takes five times as long.
        of_up = fastest_product(hidden.view(-1, hidden.shape[-1]).t(), rows.t(), None).mul_(parts.scale).t()
        of_down = fastest_product(of_hidden.t(), x.reshape(-1, x.shape[-1]).t(), None)
        of_x: Tensor | None = None
        if ctx.needs_input_grad[0]:
            of_x = fastest_product(rows, parts.weight.t(), None).addmm_(of_hidden, down).view(x.shape)
        return of_x, of_down, of_up, of_magnitude, None, None
