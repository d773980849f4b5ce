"""Attention in packed passes of encoder-decoders, one prompt after the other, for CPUs.

`seq2seq_blocks.py` is for accelerators; `engine/packed_seq2seq_lm.py` makes the passes.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from phraseproof.engine.attention.block_sdpa import additive
from phraseproof.engine.plan.packed_layout import Span
from phraseproof.engine.plan.prefix_tree import TokenTrie

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phraseproof.engine.attention.t5_modules import CrossAttention

NAME = "phraseproof_packed_encoder_decoder"


class Pass(Protocol):
    """What the layers of a pass need."""

    def attend(
        self, module: nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, /
    ) -> torch.Tensor:
        """A layer's attention.

        Args:
            module: the layer's attention.
            query, key, value: [1, heads, tokens of the row, head width].
            scaling: the factor of the products.

        Returns:
            [1, tokens of the row, heads, head width].
        """
        ...


@dataclass(frozen=True)
class PackedEncoderPass:
    """Contexts in one row.

    Attributes:
        spans: where each context is.
        bias: [1, heads, tokens, tokens] for the longest.
    """

    spans: list[Span]
    bias: torch.Tensor

    def attend(
        self, _: nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float
    ) -> torch.Tensor:
        """Each context to itself."""
        # T5's biases depend on distances alone, so a corner of the largest table serves every shorter context.
        out = query.new_empty(1, query.shape[2], query.shape[1], query.shape[3])
        for first, after in self.spans:
            size = after - first
            found = functional.scaled_dot_product_attention(
                query[:, :, first:after],
                key[:, :, first:after],
                value[:, :, first:after],
                attn_mask=self.bias[:, :, :size, :size],
                scale=scaling,
            )
            out[:, first:after] = found.transpose(1, 2)
        return out


@dataclass(frozen=True)
class PackedDecoderPass:
    """The options' trees of several prompts in one row.

    Attributes:
        spans: where each tree is; its first token is the start token.
        read: for each, where its prompt is among the encoder's states.
        biases: for each, [1, heads, own tokens, prefix + own tokens], minus infinity for what is not seen; `None` where
            a token sees itself alone.
        prefix: keys and values that every token sees first, [layers, 2, heads, tokens, head width].
        cross: the attentions to the encoder's states.
        absorbs: whether projections are moved to the decoder's side.
    """

    spans: list[Span]
    read: list[Span]
    biases: list[torch.Tensor | None]
    prefix: torch.Tensor | None
    cross: dict[nn.Module, CrossAttention]
    absorbs: bool

    def attend(
        self, module: nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float
    ) -> torch.Tensor:
        """Each decoder token to its tree, or to its prompt."""
        if module not in self.cross:
            return self._along_trees(layer_of(module), query, key, value, scaling)
        if self.absorbs:
            states = key.transpose(1, 2).reshape(key.shape[2], -1)
            return self._to_states(query, states, self.cross[module].weights, scaling)
        return self._to_projected(query, key, value, scaling)

    def _along_trees(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float
    ) -> torch.Tensor:
        """Each decoder token to the prefix, to those that lead to it, and to itself."""
        if all(bias is None for bias in self.biases):
            return value.transpose(1, 2)
        # Trees of one token keep their value, as a softmax over one key is 1. Copied, because the others overwrite it.
        out = value.transpose(1, 2).clone()
        for (first, after), bias in zip(self.spans, self.biases, strict=True):
            if bias is None:
                continue
            own_key, own_value = key[:, :, first:after], value[:, :, first:after]
            if self.prefix is not None:
                keys, values = self.prefix[layer]
                own_key, own_value = (
                    torch.cat([keys[None], own_key], dim=2),
                    torch.cat([values[None], own_value], dim=2),
                )
            found = functional.scaled_dot_product_attention(
                query[:, :, first:after], own_key, own_value, attn_mask=bias, scale=scaling
            )
            out[:, first:after] = found.transpose(1, 2)
        return out

    def _to_projected(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float
    ) -> torch.Tensor:
        """Each decoder token to its prompt's keys and values."""
        out = query.new_empty(1, query.shape[2], query.shape[1], query.shape[3])
        for (first, after), (begin, end) in zip(self.spans, self.read, strict=True):
            found = functional.scaled_dot_product_attention(
                query[:, :, first:after], key[:, :, begin:end], value[:, :, begin:end], scale=scaling
            )
            out[:, first:after] = found.transpose(1, 2)
        return out

    def _to_states(
        self, query: torch.Tensor, states: torch.Tensor, weights: tuple[torch.Tensor, torch.Tensor], scaling: float
    ) -> torch.Tensor:
        """Each decoder token to its prompt's states, the projections on its own side.

        Args:
            query: [1, heads, tokens, head width].
            states: [encoder tokens, width].
            weights: of `CrossAttention`.
            scaling: of the products.
        """
        own_query = asked_of_states(query, weights[0], scaling)
        heads = int(query.shape[1])
        # All heads read the same states, so their queries become rows of one matrix: two products per prompt.
        rows_asked = own_query.flatten(0, 1)
        read = torch.empty_like(rows_asked)
        for (first, after), (begin, end) in zip(self.spans, self.read, strict=True):
            own, rows = states[begin:end], slice(first * heads, after * heads)
            # In float32: in half precision a softmax over hundreds of states loses digits.
            weighted = torch.softmax((rows_asked[rows] @ own.t()).float(), dim=-1).to(own.dtype)
            torch.mm(weighted, own, out=read[rows])
        return read_from_states(read.view(own_query.shape), weights[1])


def asked_of_states(query: torch.Tensor, of_keys: torch.Tensor, scaling: float) -> torch.Tensor:
    """Project queries to the width of the states: [1, heads, tokens, head width] to [tokens, heads, width]."""
    # q · (K s) = (Kᵀ q) · s: a few queries are projected instead of the many states of a long prompt.
    asked = torch.bmm(query[0], of_keys).transpose(0, 1).contiguous()
    return asked if scaling == 1.0 else asked * scaling


def read_from_states(read: torch.Tensor, of_values: torch.Tensor) -> torch.Tensor:
    """Project weighted states to the head width: [tokens, heads, width] to [1, tokens, heads, head width]."""
    return torch.bmm(read.transpose(0, 1), of_values).transpose(0, 1)[None]


def tree_sees(tree: TokenTrie, before: int) -> NDArray[np.bool_]:
    """[start token and nodes, prefix, start token and nodes]: who attends to whom.

    Args:
        tree: a prompt's options.
        before: the number of prefix tokens, which all tokens see.
    """
    count = 1 + len(tree.tokens)
    sees = np.ones((count, before + count), dtype=np.bool_)
    sees[0, before + 1 :] = False
    # Options are computed side by side and must not see each other.
    sees[1:, before + 1 :] = tree.ancestry()
    return sees


def tree_bias(tree: TokenTrie, table: torch.Tensor, before: int) -> torch.Tensor | None:
    """The biases of a tree, an entry of `PackedDecoderPass.biases`.

    Args:
        tree: a prompt's options.
        table: that of `RelativeBias`.
        before: the number of prefix tokens.
    """
    if not tree.tokens and not before:
        return None
    depths = torch.tensor([0, *tree.depths], device=table.device) + before
    places = torch.cat([torch.arange(before, device=table.device), depths])
    return table[:, :, depths][..., places] + additive(tree_sees(tree, before), table)


def layer_of(module: nn.Module) -> int:
    """The number of an attention's layer."""
    return int(module.layer_idx)  # pyright: ignore[reportArgumentType] - set by every model that calls this


def spans_of(sizes: Sequence[int]) -> list[Span]:
    """Consecutive spans of these sizes."""
    ends = np.cumsum([0, *sizes]).tolist()
    return list(itertools.pairwise(ends))


def attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    packed: Pass,
    scaling: float = 1.0,
    **_: object,
) -> tuple[torch.Tensor, None]:
    """The function that transformers calls in every layer; see `causal.attend`."""
    assert attention_mask is None
    return packed.attend(module, query, key, value, scaling), None


ALL_ATTENTION_FUNCTIONS.register(NAME, attend)
