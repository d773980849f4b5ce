"""Attention in the blocks of `attention_blocks.py`: one call of torch per block, without waiting for the device.

What depends on the plan alone is moved to the device once per pass; each layer only gathers, attends and puts back.
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
    """Whether attention is computed in blocks on this device: on all but a CPU, where calls are cheap."""
    return device.type != "cpu"


class BlockOnDevice(NamedTuple):
    """A block in the memory of its device.

    Attributes:
        units: the number of sequences.
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
    """A plan in the memory of its device; `is_whole` if every place of the row has a query."""

    blocks: list[BlockOnDevice]
    where: torch.Tensor
    is_whole: bool


def move(
    plan: BlockPlan, like: torch.Tensor, *, groups: int = 1, biases: Sequence[torch.Tensor] | None = None
) -> BlocksOnDevice:
    """Move a plan to the device of `like`, with masks in the precision of `like`.

    Args:
        plan: the blocks.
        like: for example the queries.
        groups: how many query heads share one head of keys and values.
        biases: parallel to the blocks; they are added to the scores as well, [units or 1, heads, queries, keys].
    """
    device = like.device
    blocks: list[BlockOnDevice] = []
    for number, block in enumerate(plan.blocks):
        # `_attend` lays the queries of a group one after the other, so the mask is repeated along them.
        mask = None if block.visible is None else additive(block.visible[:, None], like).repeat(1, 1, groups, 1)
        bias = None if biases is None else biases[number]
        if bias is not None:
            mask = bias if mask is None else bias + mask
        asking, seen = (torch.from_numpy(places.ravel()).to(device) for places in (block.asking, block.seen))
        blocks.append(BlockOnDevice(len(block.units), asking, seen, mask, block.causal))
    # Known from the plan in host memory: reading it back from a device would wait for all of its work.
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
    """Compute the attention of a whole row.

    Args:
        query: [1, heads, places of the row, head width].
        key, value: [1, key heads, places, head width].
        plan: which places attend to which, moved with `groups` = heads / key heads.
        scaling: the factor of the products; by default one over the square root of the head width.
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
    # One row of zeros at the end serves every place without a query: `plan.where` points to it.
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
        # Queries that share a head of keys become the queries of one head, because kernels with masks have no groups.
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
        query, key, value: [units, heads, tokens, head width], with the same number of heads.
        mask: added to the capped scores.
        scaling: as for `attend_in_blocks`.
        cap: the bound of the scores.
    """
    scale = query.shape[3] ** -0.5 if scaling is None else scaling
    # Capped before masking: tanh would turn minus infinity into -cap, and hidden keys would be read.
    scores = torch.tanh(query @ key.transpose(2, 3) * (scale / cap)) * cap
    if mask is not None:
        scores = scores + mask
    # The softmax is in float32 in half precision too, as in the model's own code.
    return torch.softmax(scores, dim=-1, dtype=torch.float32).to(value.dtype) @ value


def additive(visible: NDArray[np.bool_], like: torch.Tensor) -> torch.Tensor:
    """0 where `visible`, minus infinity elsewhere."""
    # Numbers instead of booleans, because T5 adds its biases to them and soft-capped scores are ours to mask.
    sees = torch.from_numpy(visible).to(like.device)
    return torch.zeros(sees.shape, dtype=like.dtype, device=like.device).masked_fill_(~sees, float("-inf"))
