"""Attention over a packed row (`packed_row.py`), as a hook into transformers' own models.

transformers asks its attention interface for the function named in a model's configuration; while ours is named there
it makes no masks, and hands on queries, keys and values of the whole row, positions already applied. So embeddings,
projections, norms and rotations stay the model's own code.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from phraseproof.models.packed_row import Row, Span, Unit, beginning

NAME = "phraseproof_packed"

KeysAndValues = tuple[torch.Tensor, torch.Tensor]
"""Each [1, heads, tokens, head width]."""


@dataclass
class PackedPass:
    """One pass over a row: what its layers need, and what they leave.

    Attributes:
        row: the plan.
        held: by layer, keys and values of the tokens that were computed before.
        ends_in: the last layer's attention, where only scored tokens are wanted of it.
        keep: how many tokens of the last part's context are wanted afterwards.
        kept: by layer, their keys and values.
        windows: by layer, the window that the model asked for.
        attention: the module that asked last.
    """

    row: Row
    held: dict[int, KeysAndValues] = field(default_factory=dict[int, KeysAndValues])
    ends_in: torch.nn.Module | None = None
    keep: int = 0
    kept: dict[int, KeysAndValues] = field(default_factory=dict[int, KeysAndValues])
    windows: dict[int, int | None] = field(default_factory=dict[int, int | None])
    attention: torch.nn.Module | None = None
    masks: dict[tuple[int, int | None, bool], torch.Tensor | None] = field(
        default_factory=dict[tuple[int, int | None, bool], torch.Tensor | None]
    )

    def mask(self, index: int, window: int | None, like: torch.Tensor, *, whole: bool) -> torch.Tensor | None:
        """What is added to the scores of a unit, [asking tokens, past + own tokens]; `None` where it is simply causal.

        Args:
            whole: whether all of the unit's tokens ask, or only those that are scored.
        """
        key = (index, window, whole)
        if key not in self.masks:
            unit = self.row.units[index]
            if whole and is_causal(unit, window):
                self.masks[key] = None
            else:
                visible = unit.visible(window)
                if not whole:
                    visible = visible[[place - unit.start for place in unit.scored]]
                self.masks[key] = additive(visible, like)
        return self.masks[key]


def is_causal(unit: Unit, window: int | None) -> bool:
    """Whether a unit is a text of its own, each of its tokens seeing all before it."""
    return unit.past == 0 and unit.line == unit.stop - unit.start and (window is None or window >= unit.line)


def additive(visible: Any, like: torch.Tensor) -> torch.Tensor:
    """0 where `visible`, minus infinity elsewhere."""
    sees = torch.from_numpy(visible).to(like.device)
    return torch.zeros(sees.shape, dtype=like.dtype, device=like.device).masked_fill_(~sees, float("-inf"))


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    packed: PackedPass,
    scaling: float | None = None,
    **asked_for: Any,
) -> tuple[torch.Tensor, None]:
    """The function that transformers calls in every layer.

    Args:
        module: the layer's attention; it knows its number.
        query, key, value: [1, heads, tokens of the row, head width].
        attention_mask: not made for this function.
        packed: handed through by the model from its call.
        scaling: of the products; by default one over the root of the head's width.
        asked_for: the architecture's `sliding_window` and `softcap`, and what this function has no use for.

    Returns:
        [1, tokens of the row, heads, head width].
    """
    assert attention_mask is None
    sliding_window: int | None = asked_for.get("sliding_window")
    softcap: float | None = asked_for.get("softcap")
    layer: int = module.layer_idx  # pyright: ignore[reportAssignmentType] - set by every model that calls this
    packed.windows[layer], packed.attention = sliding_window, module
    if layer in packed.held:
        keys, values = packed.held[layer]
        key, value = torch.cat([keys, key], dim=2), torch.cat([values, value], dim=2)
    if packed.keep:
        path = beginning(packed.row.path, packed.keep)
        packed.kept[layer] = (_take(key, path, copy=True), _take(value, path, copy=True))
    whole = module is not packed.ends_in
    out = query.new_empty(1, query.shape[2], query.shape[1], value.shape[3])
    if not whole:
        out.zero_()
    for index, unit in enumerate(packed.row.units):
        asking = slice(unit.start, unit.stop) if whole else list(unit.scored)
        asked = query[:, :, asking]
        seen, told = _take(key, unit.keys), _take(value, unit.keys)
        mask = packed.mask(index, sliding_window, query, whole=whole)
        if softcap is None:
            found = functional.scaled_dot_product_attention(
                asked,
                seen,
                told,
                attn_mask=mask,
                is_causal=mask is None,
                scale=scaling,
                enable_gqa=seen.shape[1] != asked.shape[1],
            )
        else:
            if mask is None:
                mask = additive(unit.visible(sliding_window), query)
            found = _soft_capped(asked, seen, told, mask, scaling, softcap)
        out[:, asking] = found.transpose(1, 2)
    return out, None


def _take(tensor: torch.Tensor, spans: Sequence[Span], *, copy: bool = False) -> torch.Tensor:
    """Some places of keys or values."""
    pieces = [tensor[:, :, first:after] for first, after in spans]
    return torch.cat(pieces, dim=2) if copy or len(pieces) > 1 else pieces[0]


def _soft_capped(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor,
    scaling: float | None,
    cap: float,
) -> torch.Tensor:
    """Attention whose scores are squeezed between -cap and cap, which torch's own does not offer (Gemma 2)."""
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    scale = query.shape[3] ** -0.5 if scaling is None else scaling
    scores = torch.tanh(query @ key.transpose(2, 3) * (scale / cap)) * cap + mask
    return torch.softmax(scores, dim=-1, dtype=torch.float32).to(value.dtype) @ value


@contextlib.contextmanager
def packed_attention(network: Any, name: str = NAME) -> Generator[None]:
    """Name our function in the network's configuration, for a while."""
    before: Any = getattr(network.config, _SETTING)
    with quiet():
        try:
            network.set_attn_implementation(name)
            yield
        finally:
            network.set_attn_implementation(before)


@contextlib.contextmanager
def quiet() -> Generator[None]:
    """No advice of transformers' own, on missing masks or attentions that cannot be changed: we look for ourselves."""
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


_SETTING = "_attn_implementation"

ALL_ATTENTION_FUNCTIONS.register(NAME, attend)
