"""Encoder-decoders of T5's kind without padding: prompts in one row, all options of a prompt in one decoder tree.

A prompt is encoded once. What decoder tokens read of it is either projected to keys and values, as the model does, or
the projections are moved to the side of the decoder tokens, because a product may be bracketed as one likes:
q (K s) = (q K) s. Where few tokens read a long prompt, as with letters, that is a small part of the work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers.modeling_outputs import BaseModelOutput
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from phraseproof.models.agenda import Job
from phraseproof.models.packed_attention import additive, packed_attention
from phraseproof.models.packed_decoder import NO_SOFT, Soft
from phraseproof.models.packed_linear import PackedLinear
from phraseproof.models.packed_row import Span
from phraseproof.models.sharing import OptionTree, option_tree

NAME = "phraseproof_packed_encoder_decoder"

_SMALL_PRODUCTS = 1.5
"""Work on the decoder's side comes in small products, which are slower by about this factor."""


@dataclass(frozen=True)
class EncoderPass:
    """Contexts in one row.

    Attributes:
        spans: where each context is.
        bias: [1, heads, tokens, tokens] for the longest.
    """

    spans: list[Span]
    bias: torch.Tensor


@dataclass(frozen=True)
class DecoderPass:
    """The options' trees of several prompts in one row.

    Attributes:
        spans: where each tree is; its first token is the start token.
        read: for each, where its prompt is among the encoder's states.
        biases: for each, [1, heads, own tokens, prefix + own tokens], minus infinity for what is not seen; `None` where
            a token sees itself alone.
        prefix: keys and values that every token sees first, [layers, 2, heads, tokens, head width].
        cross: the attentions to the encoder's states.
        absorbs: whether projections are moved to the decoder's side.
    """

    spans: list[Span]
    read: list[Span]
    biases: list[torch.Tensor | None]
    prefix: torch.Tensor | None
    cross: dict[nn.Module, CrossAttention]
    absorbs: bool


class CrossAttention:
    """A layer's attention to the encoder's states, with its key and value projections where they can be moved.

    Args:
        attention: the model's module, with linear layers `k` and `v`. While `passes_states` is set, they hand on what
            they are given.
    """

    def __init__(self, attention: Any) -> None:
        self.passes_states = False
        self._heads: int = attention.n_heads
        self._width: int = attention.key_value_proj_dim
        self._layers = (attention.k, attention.v)
        self._weights: tuple[torch.Tensor, torch.Tensor] | None = None
        ordinary = all(type(layer) in {nn.Linear, PackedLinear} and layer.bias is None for layer in self._layers)
        self.can_absorb = ordinary and attention.d_model % self._width == 0
        if self.can_absorb:
            for layer in self._layers:
                layer.forward = _Switch(self, layer.forward)

    @property
    def weights(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Of the keys, [heads, head width, width], and of the values, [heads, width, head width]."""
        if self._weights is None:
            k, v = (
                (layer.weight.to_dense() if isinstance(layer, PackedLinear) else layer.weight)
                .detach()
                .view(self._heads, self._width, -1)
                for layer in self._layers
            )
            self._weights = k, v.transpose(1, 2).contiguous()
        return self._weights


class _Switch:
    def __init__(self, owner: CrossAttention, plain: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self._owner, self._plain = owner, plain

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return x if self._owner.passes_states else self._plain(x)


class RelativeBias:
    """The one module of a stack that turns distances into biases, asked beforehand instead of for the whole row.

    Args:
        stack: an encoder or a decoder of T5's kind.

    Raises:
        ValueError: none or several such modules.
    """

    def __init__(self, stack: nn.Module) -> None:
        found: list[Any] = [
            module
            for module in stack.modules()
            if getattr(module, "has_relative_attention_bias", False) and hasattr(module, "compute_bias")
        ]
        if len(found) != 1:
            raise ValueError
        self.is_silent = False
        self._plain: Callable[..., torch.Tensor] = found[0].compute_bias
        self._table: torch.Tensor | None = None
        found[0].compute_bias = self._compute

    def table(self, size: int) -> torch.Tensor:
        """[1, heads, at least size, at least size], by the places of query and key."""
        if self._table is None or self._table.shape[2] < size:
            rounded = -(-size // 64) * 64
            self._table = self._plain(rounded, rounded).contiguous()
        table = self._table
        if size > _LARGEST_KEPT:
            self._table = None
        return table

    def _compute(self, *arguments: Any, **named: Any) -> torch.Tensor:
        if not self.is_silent:
            return self._plain(*arguments, **named)
        return torch.empty(0)  # something that is not `None`, for nobody to look at


_LARGEST_KEPT = 1024


class PackedEncoderDecoder:
    """Scores batches of jobs without padding.

    Args:
        network: a T5, or what is built like it.

    Raises:
        ValueError, AttributeError: a network of another kind.
    """

    def __init__(self, network: Any) -> None:
        self._network = network
        self._encoder_bias = RelativeBias(network.get_encoder())
        self._decoder_bias = RelativeBias(network.get_decoder())
        self._cross = {
            module: CrossAttention(module)
            for name, module in network.get_decoder().named_modules()
            if name.endswith("EncDecAttention")
        }
        if not self._cross:
            raise ValueError
        embeddings = network.get_input_embeddings().weight
        self._device = embeddings.device
        self._width = int(embeddings.shape[1])
        some = next(iter(self._cross))
        self._inner: int = some.inner_dim  # pyright: ignore[reportAssignmentType]
        self._heads: int = some.n_heads  # pyright: ignore[reportAssignmentType]
        self._start = int(
            network.prepare_decoder_input_ids_from_labels(labels=torch.zeros(1, 1, dtype=torch.long))[0, 0]
        )

    def score(self, jobs: Sequence[Job], soft: Soft = NO_SOFT, *, absorbs: bool | None = None) -> list[list[float]]:
        """Log-probabilities, one list a job, parallel to its options.

        Args:
            jobs: what to score, in any order.
            soft: the soft prompt in use.
            absorbs: move the projections to the decoder's side, or not; by default whichever is less work.
        """
        trees = [option_tree(job.options) for job in jobs]
        with packed_attention(self._network, NAME):
            states, read = self._encode(jobs, soft)
            logits, spans = self._decode(trees, states, read, soft, absorbs)
        totals = [[0.0] * len(job.options) for job in jobs]
        owners: list[tuple[int, int]] = []
        places: list[int] = []
        tokens: list[int] = []
        for index, (tree, (first, _)) in enumerate(zip(trees, spans, strict=True)):
            for option, path in enumerate(tree.paths):
                owners += [(index, option)] * len(path)
                places += [first + 1 + node for node in path]
                tokens += tree.targets[option]
        values: list[float] = (logits[places, tokens] - logits.logsumexp(dim=-1)[places]).tolist()
        for (index, option), value in zip(owners, values, strict=True):
            totals[index][option] += value
        return totals

    def _encode(self, jobs: Sequence[Job], soft: Soft) -> tuple[torch.Tensor, list[Span]]:
        """The encoder's states [1, tokens, width], and where each prompt's are, virtual tokens included."""
        virtual = 0 if soft.virtual is None else int(soft.virtual.shape[0])
        spans = _spans([virtual + len(job.context) for job in jobs])
        ids = [torch.from_numpy(job.context.astype("int64")).to(self._device) for job in jobs]
        inputs: dict[str, torch.Tensor]
        if soft.virtual is None:
            inputs = {"input_ids": torch.cat(ids)[None]}
        else:
            embed = self._network.get_input_embeddings()
            pieces = [piece for part in ids for piece in (soft.virtual, embed(part))]
            inputs = {"inputs_embeds": torch.cat([piece.to(soft.virtual) for piece in pieces])[None]}
        step = EncoderPass(spans, self._encoder_bias.table(max(after - first for first, after in spans)))
        self._encoder_bias.is_silent = True
        try:
            return self._network.get_encoder()(**inputs, packed=step).last_hidden_state, spans
        finally:
            self._encoder_bias.is_silent = False

    def _decode(
        self, trees: Sequence[OptionTree], states: torch.Tensor, read: list[Span], soft: Soft, absorbs: bool | None
    ) -> tuple[torch.Tensor, list[Span]]:
        """Logits of every decoder token [tokens, vocabulary], float32, and where each tree's are."""
        spans = _spans([1 + len(tree.tokens) for tree in trees])
        prefix = None if soft.prefix is None else soft.prefix.keys_values
        before = 0 if prefix is None else int(prefix.shape[3])
        table = self._decoder_bias.table(
            before + 1 + max((depth for tree in trees for depth in tree.depths), default=0)
        )
        can_absorb = all(cross.can_absorb for cross in self._cross.values())
        step = DecoderPass(
            spans,
            read,
            [self._tree_bias(tree, table, before) for tree in trees],
            prefix,
            self._cross,
            absorbs=can_absorb and (self._absorbing_is_less(spans, read) if absorbs is None else absorbs),
        )
        ids = [token for tree in trees for token in (self._start, *tree.tokens)]
        self._decoder_bias.is_silent = True
        for cross in self._cross.values():
            cross.passes_states = step.absorbs
        try:
            logits = self._network(
                encoder_outputs=BaseModelOutput(last_hidden_state=states),
                decoder_input_ids=torch.tensor([ids], device=self._device),
                use_cache=False,
                packed=step,
            ).logits
        finally:
            self._decoder_bias.is_silent = False
            for cross in self._cross.values():
                cross.passes_states = False
        return logits[0].float(), spans

    def _tree_bias(self, tree: OptionTree, table: torch.Tensor, before: int) -> torch.Tensor | None:
        if not tree.tokens and not before:
            return None
        depths = torch.tensor([0, *tree.depths], device=table.device) + before
        places = torch.cat([torch.arange(before, device=table.device), depths])
        sees = torch.ones(len(depths), len(places), dtype=torch.bool)
        sees[0, before + 1 :] = False
        sees[1:, before + 1 :] = torch.from_numpy(tree.ancestry())
        return table[:, :, depths][..., places] + additive(sees.numpy(), table)

    def _absorbing_is_less(self, spans: Sequence[Span], read: Sequence[Span]) -> bool:
        """Counts multiplications: of projecting all states, and of projecting queries and reading wider states."""
        tokens = spans[-1][1]
        pairs = sum((after - first) * (end - begin) for (first, after), (begin, end) in zip(spans, read, strict=True))
        projected = 2 * self._inner * (self._width * read[-1][1] + pairs)
        absorbed = 2 * self._width * (self._inner * tokens + self._heads * pairs)
        return _SMALL_PRODUCTS * absorbed < projected


def attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    packed: EncoderPass | DecoderPass,
    scaling: float = 1.0,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """The function that transformers calls in every layer; see `packed_attention.attend`."""
    assert attention_mask is None
    if isinstance(packed, EncoderPass):
        return _within(query, key, value, packed, scaling), None
    if module not in packed.cross:
        return _along_trees(int(module.layer_idx), query, key, value, packed, scaling), None  # pyright: ignore[reportArgumentType]
    if packed.absorbs:
        states = key.transpose(1, 2).reshape(key.shape[2], -1)
        return _to_states(query, states, packed.cross[module].weights, packed, scaling), None
    return _to_projected(query, key, value, packed, scaling), None


def _within(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, packed: EncoderPass, scaling: float
) -> torch.Tensor:
    """Each context to itself."""
    out = query.new_empty(1, query.shape[2], query.shape[1], query.shape[3])
    for first, after in packed.spans:
        size = after - first
        found = functional.scaled_dot_product_attention(
            query[:, :, first:after],
            key[:, :, first:after],
            value[:, :, first:after],
            attn_mask=packed.bias[:, :, :size, :size],
            scale=scaling,
        )
        out[:, first:after] = found.transpose(1, 2)
    return out


def _along_trees(
    layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, packed: DecoderPass, scaling: float
) -> torch.Tensor:
    """Each decoder token to the prefix, to those that lead to it, and to itself."""
    if all(bias is None for bias in packed.biases):
        return value.transpose(1, 2)
    out = value.transpose(1, 2).clone()
    for (first, after), bias in zip(packed.spans, packed.biases, strict=True):
        if bias is None:
            continue
        seen, told = key[:, :, first:after], value[:, :, first:after]
        if packed.prefix is not None:
            keys, values = packed.prefix[layer]
            seen, told = torch.cat([keys[None], seen], dim=2), torch.cat([values[None], told], dim=2)
        found = functional.scaled_dot_product_attention(
            query[:, :, first:after], seen, told, attn_mask=bias, scale=scaling
        )
        out[:, first:after] = found.transpose(1, 2)
    return out


def _to_projected(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, packed: DecoderPass, scaling: float
) -> torch.Tensor:
    """Each decoder token to its prompt's keys and values."""
    out = query.new_empty(1, query.shape[2], query.shape[1], query.shape[3])
    for (first, after), (begin, end) in zip(packed.spans, packed.read, strict=True):
        found = functional.scaled_dot_product_attention(
            query[:, :, first:after], key[:, :, begin:end], value[:, :, begin:end], scale=scaling
        )
        out[:, first:after] = found.transpose(1, 2)
    return out


def _to_states(
    query: torch.Tensor,
    states: torch.Tensor,
    weights: tuple[torch.Tensor, torch.Tensor],
    packed: DecoderPass,
    scaling: float,
) -> torch.Tensor:
    """Each decoder token to its prompt's states, the projections on its own side.

    Args:
        query: [1, heads, tokens, head width].
        states: [encoder tokens, width].
        weights: of `CrossAttention`.
    """
    of_keys, of_values = weights
    heads, tokens = int(query.shape[1]), int(query.shape[2])
    asked = torch.bmm(query[0], of_keys).transpose(0, 1).reshape(tokens * heads, -1)
    if scaling != 1.0:
        asked = asked * scaling
    read = torch.empty_like(asked)
    for (first, after), (begin, end) in zip(packed.spans, packed.read, strict=True):
        own, rows = states[begin:end], slice(first * heads, after * heads)
        weighted = torch.softmax((asked[rows] @ own.t()).float(), dim=-1).to(own.dtype)
        torch.mm(weighted, own, out=read[rows])
    found = torch.bmm(read.view(tokens, heads, -1).transpose(0, 1), of_values)
    return found.transpose(0, 1)[None]


def _spans(sizes: Sequence[int]) -> list[Span]:
    spans: list[Span] = []
    start = 0
    for size in sizes:
        spans.append((start, start + size))
        start += size
    return spans


ALL_ATTENTION_FUNCTIONS.register(NAME, attend)
