"""Decoder-only training passes without padding: all rows in one, shared prefixes computed once.

The soft prompt comes first in every row and sees nothing before it, so its states, keys and values are the same in all
rows. So are those of the first tokens that rows have in common. The last layer computes what follows its attention at
target positions alone. The layout of the row and the trial of networks are those of scoring
(`engine/plan/packed_layout.py`, `engine/probe.py`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from typing import Unpack

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from phraseproof.engine.attention.causal import AttentionOptions, PackedPass
from phraseproof.engine.attention.causal import attend as attend_anyhow
from phraseproof.engine.attention.implementation import packed_attention
from phraseproof.engine.network import Network
from phraseproof.engine.packed_causal_lm import LastLayer
from phraseproof.engine.plan.packed_layout import PackedPrompt, Span, pack_prompts
from phraseproof.engine.plan.prefix_tree import order_by_prefix, token_trie
from phraseproof.engine.probe import probe_causal_lm
from phraseproof.engine.training.bucketing import TargetRow
from phraseproof.engine.training.frozen_modules import FrozenModules
from phraseproof.engine.training.gradient_checkpointing import run_again_in
from phraseproof.engine.trial import REFUSALS, same_logits, trial_ids, trial_logits

NAME = "phraseproof_training"


class PackedCausalLMForTraining:
    """Logits at target positions, with gradients to a soft prompt at the input or to low-rank adapters.

    Args:
        network: a decoder-only model in float32 or bfloat16, frozen except for adapters. Between products with frozen
            weights, everything is in float32.
        last_layer: set if its last layer can skip what no target depends on.
    """

    def __init__(self, network: Network, last_layer: LastLayer | None) -> None:
        self._network = network
        self._last_layer = last_layer
        self._modules = FrozenModules(network)
        self._vocabulary = int(network.get_input_embeddings().weight.shape[0])

    @classmethod
    def try_on(cls, network: Network) -> PackedCausalLMForTraining | None:
        """A pass for this network, or `None` if packing would change its scores (`engine/probe.py`)."""
        packing = probe_causal_lm(network)
        if packing is None:
            return None
        packed = cls(network, packing.last_layer)
        return packed if network.dtype == torch.float32 or packed._is_near() else None

    @torch.no_grad()
    def _is_near(self) -> bool:
        """Whether the logits are those of the network in half precision, up to rounding."""
        expected = trial_logits(self._network)
        if expected is None:
            return False
        ids = trial_ids(self._network)[0].tolist()
        try:
            (found,) = self.logits([TargetRow((ids[0],), (*ids[1:], ids[0]))], None)
        except REFUSALS:  # a layer that reads float32 only where its weights are float32
            return False
        return same_logits(found[None].to(expected), expected)

    def logits(self, rows: Sequence[TargetRow], virtual: Tensor | None) -> list[Tensor]:
        """Each row's logits, [target tokens, vocabulary].

        Args:
            rows: prompts and targets.
            virtual: the soft prompt's embeddings, [virtual tokens, width], or `None`.
        """
        count = 0 if virtual is None else len(virtual)
        lead = list(range(self._vocabulary, self._vocabulary + count))
        contexts = [np.asarray([*lead, *row.context], dtype=np.int32) for row in rows]
        order = order_by_prefix(contexts)
        # All virtual tokens are shared, even fewer than `order_by_prefix` would share: `_run` puts their embeddings at
        # the beginning of the row only.
        parts = [
            PackedPrompt(contexts[index], max(shared, len(lead)), token_trie([rows[index].target]))
            for index, shared in zip(order.indices, order.shared, strict=True)
        ]
        plan = pack_prompts(parts, 0)
        step = PackedPass(plan, ends_in=None if self._last_layer is None else self._last_layer.attention)
        found = self._run(step, virtual)
        by_part = found.split([len(unit.scored) for unit in plan.units])
        by_row = dict(zip(order.indices, by_part, strict=True))
        return [by_row[index] for index in range(len(rows))]

    def _run(self, step: PackedPass, virtual: Tensor | None) -> Tensor:
        """Logits of the scored tokens, [scored, vocabulary]."""
        ids = torch.from_numpy(step.row.tokens)
        is_virtual = ids >= self._vocabulary
        embedded = self._network.get_input_embeddings()(ids.masked_fill(is_virtual, 0)).float()
        # Concatenated, because virtual tokens are the row's first and occur nowhere else.
        count = int(is_virtual.sum())
        if virtual is not None:
            embedded = torch.cat([virtual[:count].to(embedded), embedded[count:]])
        scored = torch.tensor(step.row.scored)

        @contextlib.contextmanager
        def packed() -> Generator[None]:
            narrowed = contextlib.nullcontext() if self._last_layer is None else self._last_layer.narrowed_to(scored)
            with packed_attention(self._network, NAME), self._modules.in_place(), narrowed:
                yield

        with run_again_in(packed):
            return self._network(
                inputs_embeds=embedded[None],
                position_ids=torch.from_numpy(step.row.positions)[None],
                use_cache=False,
                logits_to_keep=scored,
                packed=step,
            ).logits[0]


def attend(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    packed: PackedPass,
    **asked_for: Unpack[AttentionOptions],
) -> tuple[Tensor, None]:
    """The same as `attention.causal.attend`, with a cheaper backward pass."""
    window = asked_for.get("sliding_window")
    if module is packed.ends_in or asked_for.get("softcap") is not None:
        return attend_anyhow(module, query, key, value, attention_mask, packed=packed, **asked_for)
    found: list[Tensor] = []
    # Split and concatenated: writing results into one tensor, as in scoring, would make autograd copy all of it for
    # every sequence.
    queries = query.split([unit.stop - unit.start for unit in packed.row.units], dim=2)
    for index, (unit, own_query) in enumerate(zip(packed.row.units, queries, strict=True)):
        mask = packed.mask(index, window, query, whole=True)
        own_key, own_value = _take(key, unit.keys), _take(value, unit.keys)
        found.append(
            functional.scaled_dot_product_attention(
                own_query,
                own_key,
                own_value,
                attn_mask=mask,
                is_causal=mask is None,
                scale=asked_for.get("scaling"),
                enable_gqa=own_key.shape[1] != own_query.shape[1],
            )
        )
    return torch.cat(found, dim=2).transpose(1, 2), None


def _take(tensor: Tensor, spans: Sequence[Span]) -> Tensor:
    pieces = [tensor[:, :, first:after] for first, after in spans]
    return torch.cat(pieces, dim=2) if len(pieces) > 1 else pieces[0]


ALL_ATTENTION_FUNCTIONS.register(NAME, attend)
