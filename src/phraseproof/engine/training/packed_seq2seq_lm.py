"""Training passes of encoder-decoders of T5's kind without padding in the encoder.

Prompts are joined end to end, so every linear layer receives real tokens only; each prompt attends to itself. A prompt
that several rows have, as those of its options, is encoded once. Where few target tokens read a long prompt, the
projections of the encoder's states to keys and values are moved to the decoder's side, forward and backward:
q (K s) = (q K) s. Where an adapter changes these projections, they stay.
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

from phraseproof.engine.attention.implementation import packed_attention
from phraseproof.engine.attention.t5_modules import CrossAttention, RelativeBias
from phraseproof.engine.decoder_start import shifted_right
from phraseproof.engine.network import Network
from phraseproof.engine.training.bucketing import TargetRow
from phraseproof.engine.training.frozen_modules import FrozenModules
from phraseproof.engine.training.gradient_checkpointing import run_again_in

NAME = "phraseproof_training_encoder_decoder"


@dataclass(frozen=True)
class _Encoding:
    """Prompts in the encoder: their tokens, and the bias [1, heads, tokens, tokens] of the longest."""

    sizes: list[int]
    bias: Tensor


@dataclass(frozen=True)
class _Decoding:
    """Rows in the decoder, those of a prompt together.

    Attributes:
        states: each prompt's encoder states, [tokens, width].
        rows: how many rows each prompt has.
        cross: the attentions to them.
        absorbs: whether projections are moved to the decoder's side.
        unseen: [tokens, tokens], minus infinity for what comes later.
    """

    states: tuple[Tensor, ...]
    rows: list[int]
    cross: dict[nn.Module, CrossAttention]
    absorbs: bool
    unseen: Tensor


class Seq2SeqLogits(NamedTuple):
    """Logits [rows, longest target, vocabulary], and the encoder's states at the soft prompt, [rows, n, width]."""

    logits: Tensor
    prefix_states: Tensor


class PackedSeq2SeqLMForTraining:
    """Logits of targets, with gradients to a soft prompt at the encoder's input or to low-rank adapters.

    Args:
        network: a T5, or a model of the same structure, in float32, frozen except for adapters.
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

    @property
    def can_absorb(self) -> bool:
        """Whether the projections of the encoder's states can be moved to the decoder's side."""
        return all(cross.can_absorb for cross in self._cross.values())

    def logits(
        self, rows: Sequence[TargetRow], virtual: Tensor | None, *, absorbs: bool | None = None
    ) -> Seq2SeqLogits:
        """Logits of the rows' targets, teacher-forced.

        Args:
            rows: prompts and targets.
            virtual: the soft prompt's embeddings, [virtual tokens, width], or `None`.
            absorbs: move the projections to the decoder's side, or not; by default whichever is less work.
        """
        prompts = list(dict.fromkeys(row.context for row in rows))
        place_of = {prompt: place for place, prompt in enumerate(prompts)}
        places = [place_of[row.context] for row in rows]
        order = sorted(range(len(rows)), key=lambda index: places[index])
        back = torch.tensor(order).argsort()
        states = self._encode(prompts, virtual)
        counts = [places.count(place) for place in range(len(prompts))]
        if absorbs is None:
            absorbs = self._absorbing_is_less(rows, states, counts)
        logits = self._decode([rows[index] for index in order], states, counts, absorbs).index_select(0, back)
        count = 0 if virtual is None else len(virtual)
        return Seq2SeqLogits(logits, torch.stack([own[:count] for own in states])[torch.tensor(places)])

    def _encode(self, prompts: Sequence[tuple[int, ...]], virtual: Tensor | None) -> tuple[Tensor, ...]:
        embed = self._network.get_input_embeddings()
        pieces: list[Tensor] = []
        for prompt in prompts:
            words = embed(torch.tensor(prompt))
            pieces += [words] if virtual is None else [virtual.to(words), words]
        sizes = [(0 if virtual is None else len(virtual)) + len(prompt) for prompt in prompts]
        step = _Encoding(sizes, self._bias.table(max(sizes)))
        with run_again_in(self._encoding):
            states = self._network.get_encoder()(inputs_embeds=torch.cat(pieces)[None], packed=step).last_hidden_state
        return states[0].split(sizes)

    def _decode(
        self, rows: Sequence[TargetRow], states: tuple[Tensor, ...], counts: list[int], absorbs: bool
    ) -> Tensor:
        width = max(len(row.target) for row in rows)
        labels = torch.tensor([[*row.target, *[self._pad_id] * (width - len(row.target))] for row in rows])
        unseen = torch.full((width, width), float("-inf")).triu(1)
        with run_again_in(functools.partial(self._decoding, absorbs)):
            return self._network(
                encoder_outputs=BaseModelOutput(last_hidden_state=torch.cat(states)[None]),
                decoder_input_ids=shifted_right(self._network, labels),
                use_cache=False,
                packed=_Decoding(states, counts, self._cross, absorbs, unseen),
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

    def _absorbing_is_less(self, rows: Sequence[TargetRow], states: tuple[Tensor, ...], counts: Sequence[int]) -> bool:
        """Counts multiplications, as scoring does: small products are slower by about a half."""
        if not self.can_absorb:
            return False
        of_keys, _ = next(iter(self._cross.values())).weights
        heads, each, width = of_keys.shape
        inner = heads * each
        longest = max(len(row.target) for row in rows)
        tokens = sum(len(own) for own in states)
        read = sum(count * len(own) for count, own in zip(counts, states, strict=True))
        projected = inner * (width * tokens + longest * read)
        absorbed = width * (inner * longest * len(rows) + heads * longest * read)
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
        query, key, value: [1, heads, tokens of all prompts, head width] in the encoder and of the encoder's states;
            [rows, heads, target tokens, head width] in the decoder.
        attention_mask: not made for this function.
        packed: handed through by the model from its call.
        scaling: of the products.
        position_bias: in the decoder, [1, heads, target tokens, target tokens].

    Returns:
        [1, tokens of all prompts, heads, head width] in the encoder; [rows, target tokens, heads, head width] in the
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
        return _to_states(query, packed, packed.cross[module].weights, scaling), None
    sizes = [len(own) for own in packed.states]
    prompts = zip(query.split(packed.rows), key.split(sizes, dim=2), value.split(sizes, dim=2), strict=True)
    return torch.cat([_to_prompt(*prompt, scaling) for prompt in prompts]), None


def _within(query: Tensor, key: Tensor, value: Tensor, packed: _Encoding, scaling: float) -> Tensor:
    """Each prompt to itself."""
    found: list[Tensor] = []
    pieces = (tensor.split(packed.sizes, dim=2) for tensor in (query, key, value))
    for size, own in zip(packed.sizes, zip(*pieces, strict=True), strict=True):
        bias = packed.bias[:, :, :size, :size]
        found.append(functional.scaled_dot_product_attention(*own, attn_mask=bias, scale=scaling))
    return torch.cat(found, dim=2).transpose(1, 2)


def _to_prompt(query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
    """The target tokens of a prompt's rows to its states, [rows, target tokens, heads, head width].

    Nothing is masked, so that all of them are tokens of one row.
    """
    rows, heads, tokens, each = query.shape
    together = query.transpose(0, 1).reshape(1, heads, rows * tokens, each)
    found = functional.scaled_dot_product_attention(together, key, value, scale=scaling)
    return found[0].view(heads, rows, tokens, each).permute(1, 2, 0, 3)


def _to_states(query: Tensor, packed: _Decoding, weights: tuple[Tensor, Tensor], scaling: float) -> Tensor:
    """Each target token to its prompt's states, the projections on its side; weights as `CrossAttention` has them."""
    of_keys, of_values = weights
    rows, heads, tokens, each = query.shape
    asked = torch.bmm(query.transpose(0, 1).reshape(heads, rows * tokens, each), of_keys)
    if scaling != 1.0:
        asked = asked * scaling
    by_row = asked.view(heads, rows, tokens, -1).transpose(0, 1).reshape(rows, heads * tokens, -1)
    prompts = zip(by_row.split(packed.rows), packed.states, strict=True)
    read = torch.cat([torch.softmax(wanted @ own.t(), dim=-1) @ own for wanted, own in prompts])
    read = read.view(rows, heads, tokens, -1).transpose(0, 1).reshape(heads, rows * tokens, -1)
    return torch.bmm(read, of_values).view(heads, rows, tokens, -1).permute(1, 2, 0, 3)


ALL_ATTENTION_FUNCTIONS.register(NAME, attend)
