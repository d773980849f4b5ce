"""Attention over a packed row (`plan/packed_layout.py`), as a hook into transformers' own models.

transformers asks its attention interface for the function named in a model's configuration; while ours is named there
it makes no masks, and hands on queries, keys and values of the whole row, positions already applied. So embeddings,
projections, norms and rotations stay the model's own code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypedDict, Unpack

import numpy as np
import torch
from torch.nn import functional
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from phraseproof.engine.attention.block_sdpa import BlocksOnDevice, additive, attend_in_blocks, move, soft_capped
from phraseproof.engine.attention.pieces import LONGEST_CAUSAL, PIECE, attend_in_pieces, triangle
from phraseproof.engine.plan.attention_blocks import AttentionQuery, plan_blocks
from phraseproof.engine.plan.packed_layout import PackedRow, PackedSequence, Span, beginning

NAME = "phraseproof_packed"

KeysAndValues = tuple[torch.Tensor, torch.Tensor]
"""Each [1, heads, tokens, head width]."""


class AttentionOptions(TypedDict, total=False):
    """The options with which an architecture calls its attention.

    Attributes:
        scaling: the factor of the products; by default one over the square root of the head width.
        sliding_window: how many tokens a token sees, including itself; by default all before it.
        softcap: the bound that tanh keeps scores below; by default there is none.
    """

    scaling: float | None
    sliding_window: int | None
    softcap: float | None


@dataclass
class PackedPass:
    """One pass over a packed row: what its layers read and write.

    Attributes:
        row: the plan.
        held: by layer, keys and values of the tokens that were computed before.
        ends_in: the last layer's attention, if it is computed for scored tokens only.
        keep: how many tokens of the last prompt's context the next pass shares.
        kept: by layer, their keys and values.
        windows: by layer, the sliding window that the model passed.
        attention: the attention module that was called last.
        collect: called in every layer with the layer's number and the keys and values of all places, held ones first.
        in_blocks: whether sequences attend in padded blocks (`attention_blocks.py`) instead of one by one.
        masks, plans, triangles: caches of what depends on the row alone, for all layers.
    """

    row: PackedRow
    held: dict[int, KeysAndValues] = field(default_factory=dict[int, KeysAndValues])
    ends_in: torch.nn.Module | None = None
    keep: int = 0
    kept: dict[int, KeysAndValues] = field(default_factory=dict[int, KeysAndValues])
    windows: dict[int, int | None] = field(default_factory=dict[int, int | None])
    attention: torch.nn.Module | None = None
    collect: Callable[[int, torch.Tensor, torch.Tensor], None] | None = None
    in_blocks: bool = False
    masks: dict[tuple[int, int | None, bool], torch.Tensor | None] = field(
        default_factory=dict[tuple[int, int | None, bool], torch.Tensor | None]
    )
    plans: dict[tuple[int | None, int, bool, bool], BlocksOnDevice] = field(
        default_factory=dict[tuple[int | None, int, bool, bool], BlocksOnDevice]
    )
    triangles: list[torch.Tensor] = field(default_factory=list[torch.Tensor])

    def mask(self, index: int, window: int | None, like: torch.Tensor, *, whole: bool) -> torch.Tensor | None:
        """The mask of a sequence, [querying tokens, past + own tokens]; `None` where it is simply causal.

        Args:
            index: the number of the sequence.
            window: the sliding window, or `None`.
            like: the queries.
            whole: whether all tokens of the sequence are queries, or only those that are scored.
        """
        # By window, because layers with and without one alternate in some models.
        key = (index, window, whole)
        if key not in self.masks:
            unit = self.row.units[index]
            # Without a mask torch takes its causal kernel, which computes half as much.
            if whole and is_causal(unit, window):
                self.masks[key] = None
            else:
                visible = unit.visible(window)
                if not whole:
                    visible = visible[[place - unit.start for place in unit.scored]]
                self.masks[key] = additive(visible, like)
        return self.masks[key]

    def triangle(self, like: torch.Tensor) -> torch.Tensor:
        """The mask of every short text that is simply causal (`pieces.triangle`)."""
        if not self.triangles:
            self.triangles.append(triangle(like))
        return self.triangles[0]

    def plan(self, window: int | None, like: torch.Tensor, groups: int, *, whole: bool, masked: bool) -> BlocksOnDevice:
        """The row's attention in blocks.

        Args:
            window, whole: as for `mask`.
            like: the queries.
            groups: how many query heads share one head of keys.
            masked: whether simply causal sequences get a mask, too.
        """
        key = (window, groups, whole, masked)
        if key not in self.plans:
            asks = [ask_of(unit, window, whole=whole, masked=masked) for unit in self.row.units]
            self.plans[key] = move(plan_blocks(asks, len(self.row.tokens)), like, groups=groups)
        return self.plans[key]


def ask_of(unit: PackedSequence, window: int | None, *, whole: bool, masked: bool) -> AttentionQuery:
    """The attention of a sequence, for `plan_blocks`; arguments as for `PackedPass.plan`."""
    asking = np.arange(unit.start, unit.stop) if whole else np.asarray(unit.scored, dtype=np.int64)
    seen = np.concatenate([np.arange(first, after) for first, after in unit.keys])
    if whole and not masked and is_causal(unit, window):
        return AttentionQuery(asking, seen, causal=True)
    visible = unit.visible(window)[asking - unit.start]
    return AttentionQuery(asking, seen, None if visible.all() else visible)


def is_causal(unit: PackedSequence, window: int | None) -> bool:
    """Whether a sequence is one text in which each token sees all before it."""
    return unit.past == 0 and unit.line == unit.stop - unit.start and (window is None or window >= unit.line)


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    packed: PackedPass,
    **asked_for: Unpack[AttentionOptions],
) -> tuple[torch.Tensor, None]:
    """The function that transformers calls in every layer.

    Args:
        module: the layer's attention, which holds the layer's number.
        query, key, value: [1, heads, tokens of the row, head width].
        attention_mask: always `None`; transformers makes no mask for this function.
        packed: passed through by the model from its call.
        asked_for: the architecture's options. transformers passes more, which are not used here.

    Returns:
        [1, tokens of the row, heads, head width].
    """
    assert attention_mask is None
    scaling, softcap = asked_for.get("scaling"), asked_for.get("softcap")
    sliding_window = asked_for.get("sliding_window")
    layer: int = module.layer_idx  # pyright: ignore[reportAssignmentType] - set by every model that calls this
    # `probe.py` compares these windows with the configuration, and takes the last module for `LastLayer`.
    packed.windows[layer], packed.attention = sliding_window, module
    if layer in packed.held:
        keys, values = packed.held[layer]
        key, value = torch.cat([keys, key], dim=2), torch.cat([values, value], dim=2)
    if packed.keep:
        # Copied: a view would keep the keys and values of the whole row in memory until the next batch.
        path = beginning(packed.row.path, packed.keep)
        packed.kept[layer] = (take(key, path, copy=True), take(value, path, copy=True))
    if packed.collect is not None:
        packed.collect(layer, key, value)
    whole = module is not packed.ends_in
    if packed.in_blocks:
        groups = query.shape[1] // key.shape[1]
        plan = packed.plan(sliding_window, query, groups, whole=whole, masked=softcap is not None)
        return attend_in_blocks(query, key, value, plan, scaling, softcap), None
    # Each sequence writes to its place here: to concatenate the results would copy all of them once more.
    out = query.new_empty(1, query.shape[2], query.shape[1], value.shape[3])
    if not whole:
        # Only scored tokens are written below; the others would keep whatever the memory held, NaN included.
        out.zero_()
    # One call per prompt: on a CPU a call costs less than padding prompts to one length would.
    for index, unit in enumerate(packed.row.units):
        asking = slice(unit.start, unit.stop) if whole else list(unit.scored)
        own_query = query[:, :, asking]
        own_key, own_value = take(key, unit.keys), take(value, unit.keys)
        mask = packed.mask(index, sliding_window, query, whole=whole)
        if softcap is None and whole:
            if mask is None and PIECE < unit.line <= LONGEST_CAUSAL:
                mask = packed.triangle(query)
            if mask is not None:
                attend_in_pieces(own_query, own_key, own_value, mask, scaling, out[:, asking])
                continue
        if softcap is None:
            found = functional.scaled_dot_product_attention(
                own_query,
                own_key,
                own_value,
                attn_mask=mask,
                is_causal=mask is None,
                scale=scaling,
                enable_gqa=own_key.shape[1] != own_query.shape[1],
            )
        else:
            # torch has no soft cap. `soft_capped` has no causal case and no groups, so both are written out.
            if mask is None:
                mask = additive(unit.visible(sliding_window), query)
            groups = own_query.shape[1] // own_key.shape[1]
            own_key, own_value = (tensor.repeat_interleave(groups, dim=1) for tensor in (own_key, own_value))
            found = soft_capped(own_query, own_key, own_value, mask, scaling, softcap)
        out[:, asking] = found.transpose(1, 2)
    return out, None


def take(tensor: torch.Tensor, spans: Sequence[Span], *, copy: bool = False) -> torch.Tensor:
    """The keys or values at these places; a view where they are one span, unless `copy`."""
    pieces = [tensor[:, :, first:after] for first, after in spans]
    return torch.cat(pieces, dim=2) if copy or len(pieces) > 1 else pieces[0]


ALL_ATTENTION_FUNCTIONS.register(NAME, attend)
