"""Encoder-decoders of T5's kind without padding: prompts in one row, all options of a prompt in one decoder tree.

A prompt is encoded once. What decoder tokens read of it is either projected to keys and values, as the model does, or
the projections are moved to the side of the decoder tokens, because a product may be bracketed as one likes:
q (K s) = (q K) s. Where few tokens read a long prompt, as with letters, that is a small part of the work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from transformers.modeling_outputs import BaseModelOutput

from phraseproof.engine.attention import block_sdpa
from phraseproof.engine.attention.implementation import packed_attention
from phraseproof.engine.attention.seq2seq_blocks import (
    DecoderBlocks,
    EncoderBlocks,
    along_trees,
    states_of,
    to_prompts,
)
from phraseproof.engine.attention.seq2seq_per_prompt import (
    NAME,
    PackedDecoderPass,
    PackedEncoderPass,
    Pass,
    layer_of,
    spans_of,
    tree_bias,
)
from phraseproof.engine.attention.t5_modules import CrossAttention, RelativeBias
from phraseproof.engine.decoder_start import decoder_start
from phraseproof.engine.logprobs import log_probabilities
from phraseproof.engine.network import Network
from phraseproof.engine.packed_causal_lm import NO_SOFT_PROMPT, VirtualTokens, embedded
from phraseproof.engine.plan.packed_layout import Span
from phraseproof.engine.plan.prefix_tree import TokenTrie, token_trie
from phraseproof.engine.plan.request import Request

_SMALL_PRODUCTS = 1.5
"""Work on the decoder's side comes in small products, which are slower by about this factor."""


class PackedSeq2SeqLM:
    """Scores batches of requests without padding.

    Args:
        network: a T5, or a model of the same structure.
        in_blocks: compute attention in blocks of prompts, or one by one; by default whichever is faster on the device.

    Attributes:
        start: the token that the decoder reads first.

    Raises:
        ValueError, AttributeError: a network of another kind.
    """

    def __init__(self, network: Network, *, in_blocks: bool | None = None) -> None:
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
        self._in_blocks = block_sdpa.in_blocks(self._device) if in_blocks is None else in_blocks
        self._vocabulary = int(embeddings.shape[0])
        self._width = int(embeddings.shape[1])
        some = next(iter(self._cross))
        self._inner: int = some.inner_dim  # pyright: ignore[reportAssignmentType]
        self._heads: int = some.n_heads  # pyright: ignore[reportAssignmentType]
        self.start = decoder_start(network)

    def score(
        self, requests: Sequence[Request], soft: VirtualTokens = NO_SOFT_PROMPT, *, absorbs: bool | None = None
    ) -> list[list[float]]:
        """Log-probabilities, one list per request, parallel to its options.

        Args:
            requests: what to score, in any order.
            soft: the soft prompt in use.
            absorbs: move the projections to the decoder's side, or not; by default whichever is less work.
        """
        trees = [token_trie(request.options) for request in requests]
        with packed_attention(self._network, NAME):
            states, read = self.encode(requests, soft)
            logits, spans = self._decode(trees, states, read, soft, absorbs)
        totals = [[0.0] * len(request.options) for request in requests]
        owners: list[tuple[int, int]] = []
        places: list[int] = []
        tokens: list[int] = []
        for index, (tree, (first, _)) in enumerate(zip(trees, spans, strict=True)):
            for option, path in enumerate(tree.paths):
                owners += [(index, option)] * len(path)
                places += [first + 1 + node for node in path]
                tokens += tree.targets[option]
        for (index, option), value in zip(owners, log_probabilities(logits, places, tokens), strict=True):
            totals[index][option] += value
        return totals

    def encode(
        self, requests: Sequence[Request], soft: VirtualTokens = NO_SOFT_PROMPT
    ) -> tuple[torch.Tensor, list[Span]]:
        """The encoder's states [1, tokens, width], and where each prompt's are, virtual tokens included."""
        virtual = 0 if soft.virtual is None else int(soft.virtual.shape[0])
        lead = np.arange(self._vocabulary, self._vocabulary + virtual)
        spans = spans_of([virtual + len(request.context) for request in requests])
        tokens = np.concatenate([piece for request in requests for piece in (lead, request.context)])
        ids = torch.from_numpy(tokens.astype("int64")).to(self._device)
        inputs: dict[str, torch.Tensor]
        if soft.virtual is None:
            inputs = {"input_ids": ids[None]}
        else:
            inputs = {"inputs_embeds": embedded(self._network, ids, soft.virtual)[None]}
        longest = max(after - first for first, after in spans)
        step: Pass
        if self._in_blocks:
            step = EncoderBlocks.of(spans, self._encoder_bias.table(longest + 7))
        else:
            step = PackedEncoderPass(spans, self._encoder_bias.table(longest))
        self._encoder_bias.is_silent = True
        try:
            return self._network.get_encoder()(**inputs, packed=step).last_hidden_state, spans
        finally:
            self._encoder_bias.is_silent = False

    def _decode(
        self,
        trees: Sequence[TokenTrie],
        states: torch.Tensor,
        read: list[Span],
        soft: VirtualTokens,
        absorbs: bool | None,
    ) -> tuple[torch.Tensor, list[Span]]:
        """Logits of every decoder token [tokens, vocabulary], and where each tree's are."""
        spans = spans_of([1 + len(tree.tokens) for tree in trees])
        can_absorb = all(cross.can_absorb for cross in self._cross.values())
        absorbs = can_absorb and (self._absorbing_is_less(spans, read) if absorbs is None else absorbs)
        step = self._decoder_pass(trees, spans, states, read, soft, absorbs)
        ids = [token for tree in trees for token in (self.start, *tree.tokens)]
        for cross in self._cross.values():
            cross.passes_states = absorbs
        try:
            logits = self._decoder_logits(ids, states, step)
        finally:
            for cross in self._cross.values():
                cross.passes_states = False
        return logits, spans

    def _decoder_logits(self, ids: Sequence[int], states: torch.Tensor, step: Pass) -> torch.Tensor:
        """Logits of decoder tokens, [tokens, vocabulary]."""
        self._decoder_bias.is_silent = True
        try:
            logits: torch.Tensor = self._network(
                encoder_outputs=BaseModelOutput(last_hidden_state=states),
                decoder_input_ids=torch.tensor([list(ids)], device=self._device),
                use_cache=False,
                packed=step,
            ).logits
        finally:
            self._decoder_bias.is_silent = False
        return logits[0]

    def _decoder_pass(
        self,
        trees: Sequence[TokenTrie],
        spans: list[Span],
        states: torch.Tensor,
        read: list[Span],
        soft: VirtualTokens,
        absorbs: bool,
    ) -> Pass:
        prefix = None if soft.prefix is None else soft.prefix.keys_values
        before = 0 if prefix is None else int(prefix.shape[3])
        deepest = max((depth for tree in trees for depth in tree.depths), default=0)
        table = self._decoder_bias.table(before + 1 + deepest)
        if not self._in_blocks:
            biases = [tree_bias(tree, table, before) for tree in trees]
            return PackedDecoderPass(spans, read, biases, prefix, self._cross, absorbs)
        prompts = to_prompts(spans, read, states)
        return DecoderBlocks(
            along_trees(trees, table, before),
            prompts,
            prefix,
            self._cross,
            states_of(prompts, states) if absorbs else None,
        )

    def encode_for_slots(self, requests: Sequence[Request]) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
        """What decoders read of contexts: of each layer, its number and the contexts' keys and values one after the
        other, each [heads, tokens of all contexts, head width].
        """
        with packed_attention(self._network, NAME):
            states, _ = self.encode(requests)
        for module in self._cross:
            projections: tuple[torch.Tensor, torch.Tensor] = (module.k(states), module.v(states))  # pyright: ignore[reportCallIssue] - T5's linear layers
            keys, values = (side[0].unflatten(-1, (self._heads, -1)).transpose(0, 1) for side in projections)
            yield layer_of(module), keys, values

    def decode_with_slots(self, tokens: Sequence[int], step: Pass) -> torch.Tensor:
        """Logits [tokens, vocabulary] of one decoder token per text, whose attention to the encoder reads no states."""
        # The model's code projects whatever states it is given in every layer: one token of zeros costs least.
        nothing = self._network.get_input_embeddings().weight.new_zeros(1, 1, self._width)
        with packed_attention(self._network, NAME):
            return self._decoder_logits(tokens, nothing, step)

    def is_cross(self, module: torch.nn.Module) -> bool:
        """Whether an attention of the decoder reads the encoder's states."""
        return module in self._cross

    def decoder_biases(self, size: int) -> torch.Tensor:
        """The decoder's biases by the places of query and key, [heads, at least size, at least size]."""
        return self._decoder_bias.table(size)[0]

    def _absorbing_is_less(self, spans: Sequence[Span], read: Sequence[Span]) -> bool:
        """Counts multiplications: of projecting all states, and of projecting queries and reading wider states."""
        tokens = spans[-1][1]
        pairs = sum((after - first) * (end - begin) for (first, after), (begin, end) in zip(spans, read, strict=True))
        projected = 2 * self._inner * (self._width * read[-1][1] + pairs)
        absorbed = 2 * self._width * (self._inner * tokens + self._heads * pairs)
        return _SMALL_PRODUCTS * absorbed < projected
