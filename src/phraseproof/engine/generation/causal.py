"""Writes texts with a decoder-only network that can be packed: no padding, shared beginnings read and stored once.

Contexts are read as in scoring (`engine/packed_causal_lm.py`). Then each step is one row of one token per text, whose
attention reads the keys and values of a `SlotCache`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Unpack

import torch
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from phraseproof.engine.attention.causal import AttentionOptions, take
from phraseproof.engine.attention.implementation import packed_attention
from phraseproof.engine.generation.slot_attention import (
    HIDDEN,
    Products,
    Shared,
    SharedSlots,
    Tail,
    attend_to_slots,
    common_length,
)
from phraseproof.engine.generation.slot_cache import SharedBeginning, SlotCache
from phraseproof.engine.generation.texts import PlannedText
from phraseproof.engine.network import Network
from phraseproof.engine.packed_causal_lm import NO_SOFT_PROMPT, LastLayer, PackedCausalLM, VirtualTokens
from phraseproof.engine.plan.packed_layout import PackedSequence, beginning, rest

NAME = "phraseproof_slots"


@dataclass
class SlotPass:
    """One step: a token of every text.

    Attributes:
        cache: what the texts' earlier tokens left; each layer adds the new tokens'.
        lengths: of each slot, how many own tokens it had before, [slots].
        starts: of each slot, how many tokens its shared beginning has, [slots].
        groups: the slots of each shared beginning.
        shared_slots: all of these; `None` for none.
        together: up to which own token all slots are read together.
        tail_slots: the slots that have more; `None` for none.
        biases: by window, of own tokens and of each shared beginning; made once for all layers.
    """

    cache: SlotCache
    lengths: torch.Tensor
    starts: torch.Tensor
    groups: list[tuple[SharedBeginning, torch.Tensor]]
    shared_slots: SharedSlots | None
    together: int
    tail_slots: torch.Tensor | None
    biases: dict[int | None, tuple[torch.Tensor, list[torch.Tensor | None]]] = field(
        default_factory=dict[int | None, tuple[torch.Tensor, list[torch.Tensor | None]]]
    )

    @classmethod
    def of(cls, cache: SlotCache, device: torch.device) -> SlotPass:
        """The next step over what a cache holds."""
        members: dict[int, tuple[SharedBeginning, list[int]]] = {}
        for slot, shared in enumerate(cache.shared):
            if shared is not None:
                members.setdefault(id(shared), (shared, []))[1].append(slot)
        sizes = [length + 1 for length in cache.lengths]
        together = common_length(sizes)
        longer = [slot for slot, size in enumerate(sizes) if size > together]
        starts = [0 if shared is None else shared.tokens for shared in cache.shared]
        return cls(
            cache,
            torch.tensor(cache.lengths, device=device),
            torch.tensor(starts, device=device),
            [(shared, torch.tensor(slots, device=device)) for shared, slots in members.values()],
            SharedSlots.of([slots for _, slots in members.values()], len(cache), device) if members else None,
            together,
            torch.tensor(longer, device=device) if longer else None,
        )

    @property
    def positions(self) -> torch.Tensor:
        """Of the new tokens, [slots]."""
        return self.starts + self.lengths

    def attend(
        self,
        layer: int,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        products: Products,
        window: int | None,
    ) -> torch.Tensor:
        """Store the new tokens' keys and values, and attend; see `causal.attend` for the shapes."""
        count = len(self.cache)
        new_keys, new_values = key[0].transpose(0, 1), value[0].transpose(0, 1)
        keys, values = self.cache.layer(layer, key[0], value[0])
        slots = torch.arange(count, device=key.device)
        keys[slots, :, self.lengths] = new_keys
        values[slots, :, self.lengths] = new_values
        own, of_shared = self._biases(window)
        tail = None
        if self.tail_slots is not None:
            after = slice(self.together, own.shape[2])
            tail = Tail(
                self.tail_slots,
                keys[self.tail_slots, :, after],
                values[self.tail_slots, :, after],
                own[self.tail_slots][..., after],
            )
        shared = [
            Shared(len(members), *beginning.layers[layer], bias)
            for (beginning, members), bias in zip(self.groups, of_shared, strict=True)
        ]
        first = slice(self.together)
        rows = query[0].transpose(0, 1).contiguous()
        return attend_to_slots(
            rows,
            keys[:count, :, first],
            values[:count, :, first],
            own[..., first],
            products,
            self.shared_slots,
            shared,
            tail,
        )[None]

    def _biases(self, window: int | None) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
        """What is added to scores: of own tokens [slots, 1, tokens], and of shared beginnings [their slots, tokens]."""
        if window not in self.biases:
            own = torch.arange(max(self.cache.lengths) + 1, device=self.lengths.device)
            hidden = own > self.lengths[:, None]
            if window is not None:
                hidden |= own <= self.lengths[:, None] - window
            of_shared: list[torch.Tensor | None] = []
            for shared, members in self.groups:
                places = torch.arange(shared.tokens, device=self.lengths.device)
                beyond = None if window is None else places <= self.positions[members, None] - window
                of_shared.append(None if beyond is None else beyond * HIDDEN)
            self.biases[window] = (hidden * HIDDEN)[:, None], of_shared
        return self.biases[window]


class CausalTextDecoder:
    """Writes texts with a decoder-only network.

    Args:
        network: a transformers model that `probe.py` found suitable.
        soft: the soft prompt in use.
        last_layer: as for `PackedCausalLM`.

    Attributes:
        lead_tokens, shares_beginnings: see `TextDecoder`.
    """

    def __init__(
        self, network: Network, soft: VirtualTokens = NO_SOFT_PROMPT, last_layer: LastLayer | None = None
    ) -> None:
        self._network = network
        self._device: torch.device = network.get_input_embeddings().weight.device
        self._reader = PackedCausalLM(network, soft, last_layer)
        self.lead_tokens = self._reader.lead_tokens
        self.shares_beginnings = True
        self._cache = SlotCache()

    @property
    def token_bytes(self) -> int:
        """See `TextDecoder`."""
        return self._cache.token_bytes

    def start(self, texts: Sequence[PlannedText]) -> torch.Tensor:
        """Read contexts, in the order of their tokens; see `TextDecoder`."""
        first = len(self._cache)
        sizes = [
            self.lead_tokens + len(text.request.context) - (0 if text.beginning is None else text.beginning.tokens)
            for text in texts
        ]
        self._cache.reserve(first + len(texts), max(size + text.most for size, text in zip(sizes, texts, strict=True)))

        def collect(units: Sequence[PackedSequence], layer: int, keys: torch.Tensor, values: torch.Tensor) -> None:
            for number, (unit, text) in enumerate(zip(units, texts, strict=True)):
                shared = text.beginning
                skipped = 0 if shared is None else shared.tokens
                if shared is not None and layer not in shared.layers:
                    places = beginning(unit.keys, skipped)
                    shared.layers[layer] = (take(keys, places, copy=True)[0], take(values, places, copy=True)[0])
                places = rest(unit.keys, skipped)
                self._cache.store(layer, first + number, take(keys, places)[0], take(values, places)[0])

        logits = self._reader.read([text.request for text in texts], collect)
        for size, text in zip(sizes, texts, strict=True):
            self._cache.add(size, text.beginning)
        return logits

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        """Read the newest token of every text; see `TextDecoder`."""
        step = SlotPass.of(self._cache, self._device)
        with packed_attention(self._network, NAME):
            logits: torch.Tensor = self._network(
                input_ids=torch.tensor([list(tokens)], device=self._device),
                position_ids=step.positions[None],
                use_cache=False,
                packed=step,
            ).logits
        self._cache.lengths = [length + 1 for length in self._cache.lengths]
        return logits[0]

    def drop(self, number: int) -> None:
        """Forget a text; the last one takes its number."""
        self._cache.drop(number)


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    packed: SlotPass,
    **asked_for: Unpack[AttentionOptions],
) -> tuple[torch.Tensor, None]:
    """The function that transformers calls in every layer; see `attention.causal.attend`."""
    assert attention_mask is None
    layer: int = module.layer_idx  # pyright: ignore[reportAssignmentType] - set by every model that calls this
    scaling = asked_for.get("scaling")
    products = Products(query.shape[3] ** -0.5 if scaling is None else scaling, asked_for.get("softcap"))
    return packed.attend(layer, query, key, value, products, asked_for.get("sliding_window")), None


ALL_ATTENTION_FUNCTIONS.register(NAME, attend)
