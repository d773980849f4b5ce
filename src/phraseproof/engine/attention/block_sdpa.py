"""Computes the blocks of `attention_blocks.py`: one call of torch's attention per block, and no device synchronisation.

What depends on the plan alone is moved to the device once per pass; layers only gather, attend and put back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from phraseproof.engine.plan.attention_blocks import BlockPlan

if TYPE_CHECKING:
    from numpy.typing import NDArray


def in_blocks(device: torch.device) -> bool:
    """Whether attention is computed in blocks on this device: everywhere but on a CPU, where calls are cheap."""
    return device.type != "cpu"


class BlockOnDevice(NamedTuple):
    """A block where it is computed.

    Attributes:
        units: how many there are.
        asking: places of queries, [units * queries].
        seen: places of keys, [units * keys].
        mask: what is added to scores, [units or 1, heads or 1, groups * queries, keys]; `None` where nothing is.
        causal: each query sees the keys up to its own number.
    """

    units: int
    asking: torch.Tensor
    seen: torch.Tensor
    mask: torch.Tensor | None
    causal: bool


class BlocksOnDevice(NamedTuple):
    """A plan where it is computed; `is_whole` if every place of the row has a query."""

    blocks: list[BlockOnDevice]
    where: torch.Tensor
    is_whole: bool


def move(
    plan: BlockPlan, like: torch.Tensor, *, groups: int = 1, biases: Sequence[torch.Tensor] | None = None
) -> BlocksOnDevice:
    """A plan, moved to where `like` is, its masks in the precision of `like`.

    Args:
        plan: the blocks.
        like: queries, say.
        groups: how many heads of queries share one of keys and values.
        biases: parallel to the blocks, what is added to scores besides, [units or 1, heads, queries, keys].
    """
    device = like.device
    blocks: list[BlockOnDevice] = []
    for number, block in enumerate(plan.blocks):
        mask = None if block.visible is None else additive(block.visible[:, None], like).repeat(1, 1, groups, 1)
        bias = None if biases is None else biases[number]
        if bias is not None:
            mask = bias if mask is None else bias + mask
        asking, seen = (torch.from_numpy(places.ravel()).to(device) for places in (block.asking, block.seen))
        blocks.append(BlockOnDevice(len(block.units), asking, seen, mask, block.causal))
    is_whole = bool(plan.where.max() < sum(block.asking.size for block in plan.blocks))
    return BlocksOnDevice(blocks, torch.from_numpy(plan.where).to(device), is_whole)


def attend_in_blocks(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    plan: BlocksOnDevice,
    scaling: float | None,
    softcap: float | None = None,
) -> torch.Tensor:
    """Attention of a whole row.

    Args:
        query: [1, heads, places of the row, head width].
        key, value: [1, their heads, places, head width].
        plan: what attends to what, moved for as many groups as these heads make.
        scaling: of the products; by default one over the root of the head's width.
        softcap: scores are soft-capped between this and its negative; such a plan has no causal blocks.

    Returns:
        [1, places of the row, heads, head width]; zero for places without a query.
    """
    queries, keys, values = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
    found: list[torch.Tensor] = []
    for block in plan.blocks:
        block_query, block_key, block_value = (
            tensor.index_select(0, places).unflatten(0, (block.units, -1)).transpose(1, 2)
            for tensor, places in ((queries, block.asking), (keys, block.seen), (values, block.seen))
        )
        found.append(
            _attend(block_query, block_key, block_value, block, scaling, softcap).transpose(1, 2).flatten(0, 1)
        )
    return put_back(found, plan)[None]


def put_back(found: Sequence[torch.Tensor], plan: BlocksOnDevice) -> torch.Tensor:
    """[places of the row, ...] from each block's answers, [units * queries, ...]."""
    nothing = [] if plan.is_whole else [found[0].new_zeros(1, *found[0].shape[1:])]
    return torch.cat([*found, *nothing]).index_select(0, plan.where)


def _attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    block: BlockOnDevice,
    scaling: float | None,
    softcap: float | None,
) -> torch.Tensor:
    """[units, heads, queries, head width]."""
    heads, count = query.shape[1], query.shape[2]
    groups = heads // key.shape[1]
    if groups > 1 and not block.causal:
        # Queries that share a head of keys become one head's queries: kernels that take masks know no groups.
        query = query.unflatten(1, (-1, groups)).flatten(2, 3)
    if softcap is not None:
        found = soft_capped(query, key, value, block.mask, scaling, softcap)
    else:
        found = functional.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=block.mask,
            is_causal=block.causal,
            scale=scaling,
            enable_gqa=block.causal and groups > 1,
        )
    return found.unflatten(2, (groups, count)).flatten(1, 2) if groups > 1 and not block.causal else found


def soft_capped(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float | None,
    cap: float,
) -> torch.Tensor:
    """Attention with scores soft-capped between -cap and cap, which torch's own lacks (Gemma 2).

    Args:
        query, key, value: as many heads each.
        mask: what is added to scores.
        scaling: as for `attend_in_blocks`.
        cap: of the scores.
    """
    scale = query.shape[3] ** -0.5 if scaling is None else scaling
    scores = torch.tanh(query @ key.transpose(2, 3) * (scale / cap)) * cap
    if mask is not None:
        scores = scores + mask
    return torch.softmax(scores, dim=-1, dtype=torch.float32).to(value.dtype) @ value


def additive(visible: NDArray[np.bool_], like: torch.Tensor) -> torch.Tensor:
    """0 where `visible`, minus infinity elsewhere."""
    sees = torch.from_numpy(visible).to(like.device)
    return torch.zeros(sees.shape, dtype=like.dtype, device=like.device).masked_fill_(~sees, float("-inf"))
