"""Writes texts with an encoder-decoder of T5's kind: contexts are encoded once, and a step is one token of each text.

The encoder's states are projected to keys and values once per text (`EncDecAttention`), and kept in a `SlotCache`
next to that of the decoder's own tokens.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from phraseproof.engine.attention.seq2seq_per_prompt import layer_of
from phraseproof.engine.generation.slot_attention import HIDDEN, Products, attend_to_slots
from phraseproof.engine.generation.slot_cache import SlotCache
from phraseproof.engine.generation.texts import PlannedText
from phraseproof.engine.packed_seq2seq_lm import PackedSeq2SeqLM


@dataclass(frozen=True)
class DecoderSlotPass:
    """One step: a decoder token of every text from a slot on.

    Attributes:
        network: tells the two kinds of attention apart.
        first: the first slot.
        own: the decoder's earlier tokens; each layer adds the new ones'.
        lengths: of each slot, how many there are, [slots].
        own_bias: [slots, heads, tokens].
        read: what the encoder left.
        read_bias: [slots, 1, tokens].
    """

    network: PackedSeq2SeqLM
    first: int
    own: SlotCache
    lengths: torch.Tensor
    own_bias: torch.Tensor
    read: SlotCache
    read_bias: torch.Tensor

    @classmethod
    def of(cls, network: PackedSeq2SeqLM, first: int, own: SlotCache, read: SlotCache) -> DecoderSlotPass:
        """The next step over what the caches hold."""
        longest = max(own.lengths[first:]) + 1
        table = network.decoder_biases(longest)
        lengths = torch.tensor(own.lengths[first:], device=table.device)
        places = torch.arange(longest, device=table.device)
        bias = table[:, lengths, :longest].transpose(0, 1).float() + (places > lengths[:, None])[:, None] * HIDDEN
        sizes = torch.tensor(read.lengths[first:], device=table.device)
        read_places = torch.arange(int(sizes.max()), device=table.device)
        return cls(network, first, own, lengths, bias, read, ((read_places >= sizes[:, None]) * HIDDEN)[:, None])

    def attend(
        self, module: nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float
    ) -> torch.Tensor:
        """See `seq2seq_per_prompt.Pass`; the keys and values given to the attention to the encoder are not read."""
        layer = layer_of(module)
        rows, products = query[0].transpose(0, 1).contiguous(), Products(scaling)
        if self.network.is_cross(module):
            cache, bias = self.read, self.read_bias
            keys, values = cache.layer(layer, key[0], value[0])
        else:
            cache, bias = self.own, self.own_bias
            keys, values = cache.layer(layer, key[0], value[0])
            slots = torch.arange(self.first, len(self.own), device=key.device)
            keys[slots, :, self.lengths] = key[0].transpose(0, 1)
            values[slots, :, self.lengths] = value[0].transpose(0, 1)
        active, tokens = slice(self.first, len(self.own)), slice(bias.shape[2])
        return attend_to_slots(rows, keys[active, :, tokens], values[active, :, tokens], bias, products)[None]


class Seq2SeqTextDecoder:
    """Writes texts with an encoder-decoder.

    Args:
        network: as `probe.py` found it suitable.

    Attributes:
        lead_tokens, shares_beginnings: see `TextDecoder`. Soft prompts are not supported here.
    """

    def __init__(self, network: PackedSeq2SeqLM) -> None:
        self._network = network
        self._own, self._read = SlotCache(), SlotCache()
        self.lead_tokens = 0
        self.shares_beginnings = False

    @property
    def token_bytes(self) -> int:
        """See `TextDecoder`; the same for a token of the context and one that is written."""
        return self._own.token_bytes

    def start(self, texts: Sequence[PlannedText]) -> torch.Tensor:
        """Encode contexts, equal ones once; see `TextDecoder`."""
        first = len(self._own)
        distinct: dict[bytes, list[int]] = {}
        for number, text in enumerate(texts):
            distinct.setdefault(text.request.context.tobytes(), []).append(number)
        requests = [texts[numbers[0]].request for numbers in distinct.values()]
        sizes = [len(request.context) for request in requests]
        self._read.reserve(first + len(texts), max(sizes))
        self._own.reserve(first + len(texts), max(text.most for text in texts))
        ends = np.cumsum([0, *sizes]).tolist()
        for layer, keys, values in self._network.encode_for_slots(requests):
            for (begin, end), numbers in zip(itertools.pairwise(ends), distinct.values(), strict=True):
                for number in numbers:
                    self._read.store(layer, first + number, keys[:, begin:end], values[:, begin:end])
        for text in texts:
            self._read.add(len(text.request.context), None)
            self._own.add(0, None)
        return self._step([self._network.start] * len(texts), first)

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        """Read the newest token of every text; see `TextDecoder`."""
        return self._step(tokens, 0)

    def drop(self, number: int) -> None:
        """Forget a text; the last one takes its number."""
        self._own.drop(number)
        self._read.drop(number)

    def _step(self, tokens: Sequence[int], first: int) -> torch.Tensor:
        step = DecoderSlotPass.of(self._network, first, self._own, self._read)
        logits = self._network.decode_with_slots(tokens, step)
        self._own.lengths[first:] = [length + 1 for length in self._own.lengths[first:]]
        return logits
