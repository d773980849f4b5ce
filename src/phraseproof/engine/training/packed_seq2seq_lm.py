"""Training passes of encoder-decoders of T5's kind without padding in the encoder.

Rows are joined end to end, so every linear layer receives real tokens only; each row attends to itself. Where few
target tokens read a long prompt, the projections of the encoder's states to keys and values are moved to the decoder's
side, forward and backward: q (K s) = (q K) s.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.modeling_outputs import BaseModelOutput
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from phraseproof.engine.attention.causal import packed_attention
from phraseproof.engine.attention.t5_modules import CrossAttention, RelativeBias
from phraseproof.engine.decoder_start import shifted_right
from phraseproof.engine.network import Network
from phraseproof.engine.training.bucketing import TargetRow
from phraseproof.engine.training.frozen_modules import FrozenModules
from phraseproof.engine.training.gradient_checkpointing import run_again_in

NAME = "phraseproof_training_encoder_decoder"


@dataclass(frozen=True)
class _Encoding:
    """Rows in the encoder: their tokens, and the bias [1, heads, tokens, tokens] of the longest."""

    sizes: list[int]
    bias: Tensor


@dataclass(frozen=True)
class _Decoding:
    """Rows in the decoder.

    Attributes:
        states: each row's encoder states, [tokens, width].
        cross: the attentions to them.
        absorbs: whether projections are moved to the decoder's side.
        unseen: [tokens, tokens], minus infinity for what comes later.
    """

    states: tuple[Tensor, ...]
    cross: dict[nn.Module, CrossAttention]
    absorbs: bool
    unseen: Tensor


class Seq2SeqLogits(NamedTuple):
    """Logits [rows, longest target, vocabulary], and the encoder's states at the soft prompt, [rows, n, width]."""

    logits: Tensor
    prefix_states: Tensor


class PackedSeq2SeqLMForTraining:
    """Logits of targets, with gradients to a soft prompt at the encoder's input.

    Args:
        network: a frozen T5, or a model of the same structure, in float32.
        pad_id: a token to pad targets with.

    Raises:
        ValueError, AttributeError: a network of another kind.
    """

    def __init__(self, network: Network, pad_id: int) -> None:
        self._network = network
        self._pad_id = pad_id
        self._bias = RelativeBias(network.get_encoder())
        self._cross = {
            module: CrossAttention(module)
            for name, module in network.get_decoder().named_modules()
            if name.endswith("EncDecAttention")
        }
        if not self._cross:
            raise ValueError("no attention to the encoder's states")
        # After the attentions: their projections, which may be passed by, are theirs.
        self._modules = FrozenModules(network)

    def logits(self, rows: Sequence[TargetRow], virtual: Tensor, *, absorbs: bool | None = None) -> Seq2SeqLogits:
        """Logits of the rows' targets, teacher-forced.

        Args:
            rows: prompts and targets.
            virtual: the soft prompt's embeddings, [virtual tokens, width].
            absorbs: move the projections to the decoder's side, or not; by default whichever is less work.
        """
        states = self._encode(rows, virtual)
        logits = self._decode(rows, states, self._absorbing_is_less(rows, states) if absorbs is None else absorbs)
        return Seq2SeqLogits(logits, torch.stack([own[: len(virtual)] for own in states]))

    def _encode(self, rows: Sequence[TargetRow], virtual: Tensor) -> tuple[Tensor, ...]:
        embed = self._network.get_input_embeddings()
        words = [embed(torch.tensor(row.context)) for row in rows]
        pieces = [piece for own in words for piece in (virtual.to(own), own)]
        sizes = [len(virtual) + len(row.context) for row in rows]
        step = _Encoding(sizes, self._bias.table(max(sizes)))
        with run_again_in(self._encoding):
            states = self._network.get_encoder()(inputs_embeds=torch.cat(pieces)[None], packed=step).last_hidden_state
        return states[0].split(sizes)

    def _decode(self, rows: Sequence[TargetRow], states: tuple[Tensor, ...], absorbs: bool) -> Tensor:
        width = max(len(row.target) for row in rows)
        labels = torch.tensor([[*row.target, *[self._pad_id] * (width - len(row.target))] for row in rows])
        unseen = torch.full((width, width), float("-inf")).triu(1)
        with run_again_in(functools.partial(self._decoding, absorbs)):
            return self._network(
                encoder_outputs=BaseModelOutput(last_hidden_state=torch.cat(states)[None]),
                decoder_input_ids=shifted_right(self._network, labels),
                use_cache=False,
                packed=_Decoding(states, self._cross, absorbs, unseen),
            ).logits

    @contextlib.contextmanager
    def _encoding(self) -> Generator[None]:
        with packed_attention(self._network, NAME), self._modules.in_place():
            self._bias.is_silent = True
            try:
                yield
            finally:
                self._bias.is_silent = False

    @contextlib.contextmanager
    def _decoding(self, absorbs: bool) -> Generator[None]:
        with packed_attention(self._network, NAME), self._modules.in_place():
            for cross in self._cross.values():
                cross.passes_states = absorbs
            try:
                yield
            finally:
                for cross in self._cross.values():
                    cross.passes_states = False

    def _absorbing_is_less(self, rows: Sequence[TargetRow], states: tuple[Tensor, ...]) -> bool:
        """Counts multiplications, as scoring does: small products are slower by about a half."""
        if not all(cross.can_absorb for cross in self._cross.values()):
            return False
        of_keys, _ = next(iter(self._cross.values())).weights
        heads, each, width = of_keys.shape
        inner = heads * each
        longest = max(len(row.target) for row in rows)
        tokens = sum(len(own) for own in states)
        projected = inner * (width * tokens + longest * tokens)
        absorbed = width * (inner * longest * len(rows) + heads * longest * tokens)
        return 1.5 * absorbed < projected


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    packed: _Encoding | _Decoding,
    scaling: float = 1.0,
    position_bias: Tensor | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """The function that transformers calls in every layer.

    Args:
        module: the layer's attention.
        query, key, value: [1, heads, tokens of all rows, head width] in the encoder and of the encoder's states;
            [rows, heads, target tokens, head width] in the decoder.
        attention_mask: not made for this function.
        packed: handed through by the model from its call.
        scaling: of the products.
        position_bias: in the decoder, [1, heads, target tokens, target tokens].

    Returns:
        [1, tokens of all rows, heads, head width] in the encoder; [rows, target tokens, heads, head width] in the
        decoder.
    """
    assert attention_mask is None
    if isinstance(packed, _Encoding):
        return _within(query, key, value, packed, scaling), None
    if module not in packed.cross:
        assert position_bias is not None
        found = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=position_bias + packed.unseen, scale=scaling
        )
        return found.transpose(1, 2), None
    if packed.absorbs:
        return _to_states(query, packed.states, packed.cross[module].weights, scaling), None
    sizes = [len(own) for own in packed.states]
    rows = zip(query.split(1), key.split(sizes, dim=2), value.split(sizes, dim=2), strict=True)
    parts = [functional.scaled_dot_product_attention(*row, scale=scaling) for row in rows]
    return torch.cat(parts).transpose(1, 2), None


def _within(query: Tensor, key: Tensor, value: Tensor, packed: _Encoding, scaling: float) -> Tensor:
    """Each row to itself."""
    found: list[Tensor] = []
    pieces = (tensor.split(packed.sizes, dim=2) for tensor in (query, key, value))
    for size, own in zip(packed.sizes, zip(*pieces, strict=True), strict=True):
        bias = packed.bias[:, :, :size, :size]
        found.append(functional.scaled_dot_product_attention(*own, attn_mask=bias, scale=scaling))
    return torch.cat(found, dim=2).transpose(1, 2)


def _to_states(query: Tensor, states: Sequence[Tensor], weights: tuple[Tensor, Tensor], scaling: float) -> Tensor:
    """Each target token to its row's states, the projections on its own side; weights as `CrossAttention` has them."""
    of_keys, of_values = weights
    rows, heads, tokens, each = query.shape
    asked = torch.bmm(query.transpose(0, 1).reshape(heads, rows * tokens, each), of_keys)
    if scaling != 1.0:
        asked = asked * scaling
    by_row = asked.view(heads, rows, tokens, -1).transpose(0, 1).reshape(rows, heads * tokens, -1)
    read = torch.stack(
        [torch.softmax(wanted @ own.t(), dim=-1) @ own for wanted, own in zip(by_row, states, strict=True)]
    )
    read = read.view(rows, heads, tokens, -1).transpose(0, 1).reshape(heads, rows * tokens, -1)
    return torch.bmm(read, of_values).view(heads, rows, tokens, -1).permute(1, 2, 0, 3)


ALL_ATTENTION_FUNCTIONS.register(NAME, attend)
