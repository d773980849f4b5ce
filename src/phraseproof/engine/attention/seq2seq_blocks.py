"""Attention in packed passes of encoder-decoders, prompts of similar size together, for accelerators.

Everything that depends on the plan alone (places, biases, masks, copies of the encoder's states) is computed once
per pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from phraseproof.engine.attention.block_sdpa import BlocksOnDevice, attend_in_blocks, move, put_back
from phraseproof.engine.attention.seq2seq_per_prompt import asked_of_states, layer_of, read_from_states, tree_sees
from phraseproof.engine.plan.attention_blocks import AttentionQuery, BlockPlan, plan_blocks
from phraseproof.engine.plan.packed_layout import Span
from phraseproof.engine.plan.prefix_tree import TokenTrie

if TYPE_CHECKING:
    from phraseproof.engine.attention.t5_modules import CrossAttention


@dataclass(frozen=True)
class EncoderBlocks:
    """Contexts in one row.

    Attributes:
        contexts: each attends to itself, with its biases.
    """

    contexts: BlocksOnDevice

    @classmethod
    def of(cls, spans: Sequence[Span], table: torch.Tensor) -> EncoderBlocks:
        """Plan contexts at `spans`; `table` is that of `RelativeBias`, seven places larger than the longest."""
        asks = [AttentionQuery(np.arange(*span), np.arange(*span)) for span in spans]
        plan = plan_blocks(asks, spans[-1][1])
        # Every context counts from its own first token, so one corner of the table serves all of a block. Keys may be
        # padded by up to seven places (`_KEYS_MULTIPLE`), so the table is larger.
        biases = [table[:, :, : block.asking.shape[1], : block.seen.shape[1]] for block in plan.blocks]
        return cls(move(plan, table, biases=biases))

    def attend(
        self, _: nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float
    ) -> torch.Tensor:
        """See `seq2seq_per_prompt.Pass`."""
        return attend_in_blocks(query, key, value, self.contexts, scaling)


@dataclass(frozen=True)
class DecoderBlocks:
    """The options' trees of several prompts in one row.

    Attributes:
        trees: each decoder token to the prefix, to those that lead to it, and to itself; `None` where every token sees
            itself alone.
        prompts: each decoder token to its prompt.
        prefix: keys and values that every token sees first, [layers, 2, heads, tokens, head width].
        cross: the attentions to the encoder's states.
        states: where projections are moved to the decoder's side, the states that each block of `prompts` reads,
            [units, keys, width]; else `None`.
    """

    trees: BlocksOnDevice | None
    prompts: BlocksOnDevice
    prefix: torch.Tensor | None
    cross: dict[nn.Module, CrossAttention]
    states: list[torch.Tensor] | None

    def attend(
        self, module: nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float
    ) -> torch.Tensor:
        """See `seq2seq_per_prompt.Pass`."""
        if module in self.cross:
            if self.states is None:
                return attend_in_blocks(query, key, value, self.prompts, scaling)
            return self._to_states(query, self.states, self.cross[module].weights, scaling)
        if self.trees is None:
            # A softmax over a single key is 1, so each token's result is its own value.
            return value.transpose(1, 2)
        if self.prefix is not None:
            keys, values = self.prefix[layer_of(module)]
            key, value = torch.cat([keys[None], key], dim=2), torch.cat([values[None], value], dim=2)
        return attend_in_blocks(query, key, value, self.trees, scaling)

    def _to_states(
        self,
        query: torch.Tensor,
        states: Sequence[torch.Tensor],
        weights: tuple[torch.Tensor, torch.Tensor],
        scaling: float,
    ) -> torch.Tensor:
        """The same as `PackedDecoderPass._to_states`, block by block."""
        asked = asked_of_states(query, weights[0], scaling)
        heads = asked.shape[1]
        found: list[torch.Tensor] = []
        for block, own in zip(self.prompts.blocks, states, strict=True):
            # All heads read the same states, so their queries become rows of one matrix: one product per block.
            wanted = asked.index_select(0, block.asking).view(block.units, -1, own.shape[2])
            scores = wanted @ own.transpose(1, 2)
            if block.mask is not None:
                scores = (scores.unflatten(1, (-1, heads)) + block.mask.transpose(1, 2)).flatten(1, 2)
            weighted = torch.softmax(scores, dim=-1, dtype=torch.float32).to(own.dtype)
            found.append((weighted @ own).view(-1, heads, own.shape[2]))
        return read_from_states(put_back(found, self.prompts), weights[1])


def along_trees(trees: Sequence[TokenTrie], table: torch.Tensor, before: int) -> BlocksOnDevice | None:
    """`DecoderBlocks.trees`.

    Args:
        trees: of each prompt's options.
        table: of `RelativeBias`.
        before: the prefix's tokens, which come before the row's among keys.
    """
    if not before and not any(tree.tokens for tree in trees):
        return None
    asks: list[AttentionQuery] = []
    start = 0
    for tree in trees:
        own = np.arange(start, start + 1 + len(tree.tokens))
        seen = np.concatenate([np.arange(before), before + own])
        asks.append(AttentionQuery(own, seen, tree_sees(tree, before)))
        start += len(own)
    plan = plan_blocks(asks, start)
    # A token's position is its depth, not its place: options that follow the same token have the same position.
    depths = np.concatenate([np.arange(before), *(np.asarray([0, *tree.depths]) + before for tree in trees)])
    return move(plan, table, biases=_depth_biases(plan, depths, before, table))


def _depth_biases(plan: BlockPlan, depths: np.ndarray, before: int, table: torch.Tensor) -> list[torch.Tensor]:
    """For each block, [units, heads, queries, keys], by how deep each token is in its tree."""
    biases: list[torch.Tensor] = []
    for block in plan.blocks:
        asking, seen = (
            torch.from_numpy(depths[places]).to(table.device) for places in (before + block.asking, block.seen)
        )
        biases.append(table[0][:, asking[:, :, None], seen[:, None, :]].transpose(0, 1))
    return biases


def to_prompts(spans: Sequence[Span], read: Sequence[Span], like: torch.Tensor) -> BlocksOnDevice:
    """`DecoderBlocks.prompts`.

    Args:
        spans: where each prompt's tree is in the row.
        read: where its states are.
        like: the states.
    """
    asks = [AttentionQuery(np.arange(*own), np.arange(*seen)) for own, seen in zip(spans, read, strict=True)]
    return move(plan_blocks(asks, spans[-1][1]), like)


def states_of(blocks: BlocksOnDevice, states: torch.Tensor) -> list[torch.Tensor]:
    """For each block, its units' states, [units, keys, width], out of [1, tokens, width]."""
    # Copied once per pass, because every layer reads the same states.
    return [states[0].index_select(0, block.seen).unflatten(0, (block.units, -1)) for block in blocks.blocks]
