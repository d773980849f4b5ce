"""Adapters of T5's own attention modules to passes without padding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import nn

from phraseproof.engine.cpu.packed_linear import PackedLinear

_LARGEST_KEPT = 1024
"""Tables of biases for longer prompts are not kept between passes: with 64 heads one of 2,048 tokens takes 1 GB."""


class T5Attention(Protocol):
    """What `CrossAttention` reads of an attention module of T5's kind."""

    n_heads: int
    key_value_proj_dim: int
    d_model: int
    k: nn.Linear | PackedLinear
    v: nn.Linear | PackedLinear


class CrossAttention:
    """A layer's attention to the encoder's states, whose key and value projections may be moved to the decoder's side.

    Args:
        attention: the model's module, with linear layers `k` and `v`. While `passes_states` is set, they return their
            input.
    """

    def __init__(self, attention: T5Attention) -> None:
        self.passes_states = False
        self._heads: int = attention.n_heads
        self._width: int = attention.key_value_proj_dim
        self._layers = (attention.k, attention.v)
        self._weights: tuple[torch.Tensor, torch.Tensor] | None = None
        # A bias, or a subclass that computes something else (LoRA), would be lost when the projection is moved.
        ordinary = all(type(layer) in {nn.Linear, PackedLinear} and layer.bias is None for layer in self._layers)
        # T5's code views whatever `k` and `v` return as heads of this width, unprojected states included.
        self.can_absorb = ordinary and attention.d_model % self._width == 0
        if self.can_absorb:
            modules: list[nn.Module] = list(self._layers)
            for module in modules:
                module.forward = _Switch(self, module.forward)

    @property
    def weights(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The weights for keys, [heads, head width, width], and for values, [heads, width, head width]."""
        if self._weights is None:
            # Made at first use and then kept: a packed layer has to be unpacked into a dense copy.
            k, v = (
                (layer.weight.to_dense().float() if isinstance(layer, PackedLinear) else layer.weight)
                .detach()
                .view(self._heads, self._width, -1)
                for layer in self._layers
            )
            self._weights = k, v.transpose(1, 2).contiguous()
        return self._weights


class _Switch:
    """A layer's forward, or the identity while its owner has `passes_states` set."""

    def __init__(self, owner: CrossAttention, plain: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self._owner, self._plain = owner, plain

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return x if self._owner.passes_states else self._plain(x)


class RelativeBias:
    """The module of a stack that turns distances into biases; it computes one table, not biases for the whole row.

    Args:
        stack: an encoder or a decoder of T5's kind.

    Raises:
        ValueError: the stack has no such module, or several.
    """

    def __init__(self, stack: nn.Module) -> None:
        found: list[Any] = [
            module
            for module in stack.modules()
            if getattr(module, "has_relative_attention_bias", False) and hasattr(module, "compute_bias")
        ]
        if len(found) != 1:
            raise ValueError(f"{len(found)} modules with relative positions instead of one")
        self.is_silent = False
        self._plain: Callable[..., torch.Tensor] = found[0].compute_bias
        self._table: torch.Tensor | None = None
        found[0].compute_bias = self._compute

    def table(self, size: int) -> torch.Tensor:
        """[1, heads, at least size, at least size], by the places of query and key."""
        if self._table is None or self._table.shape[2] < size:
            # Rounded up, so that a slightly longer prompt in a later batch finds a table that is large enough.
            rounded = -(-size // 64) * 64
            self._table = self._plain(rounded, rounded).contiguous()
        table = self._table
        if size > _LARGEST_KEPT:
            self._table = None
        return table

    def _compute(self, *arguments: object, **named: object) -> torch.Tensor:
        if not self.is_silent:
            return self._plain(*arguments, **named)
        # Not `None`: the model would then add a default bias. Our attention reads neither.
        return torch.empty(0)
