"""Prefix tuning: keys and values that every decoder layer finds in its cache before the first token (Li & Liang, 2021).

The paper's earlier draft aligns with these; PEFT stores them as one flat matrix, whose layout is kept here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer, EncoderDecoderCache

from phraseproof.engine.network import Network, NetworkConfig
from phraseproof.engine.trial import REFUSALS
from phraseproof.errors import ModelError


class CacheShape(NamedTuple):
    """What one token leaves in a network's key-value cache, the same in each layer.

    Attributes:
        layers: how many layers keep keys and values of the tokens that they read.
        heads, head_width: key and value heads, and the width of each.
        slides: whether a layer forgets what is outside its window.
        encoder_decoder: whether it is the decoder's cache of an encoder-decoder.
    """

    layers: int
    heads: int
    head_width: int
    slides: bool
    encoder_decoder: bool

    @property
    def width(self) -> int:
        """The width of one layer's keys, all heads together."""
        return self.heads * self.head_width

    def stored_layers(self) -> int:
        """The `num_layers` of a PEFT configuration under which every layer has its own prefix.

        For an encoder-decoder PEFT's forward gives decoder layer i the entry 2i (of what it stores, laid end to end
        with itself), so that with as many entries as layers half of them are unused and the others serve two layers.
        With twice as many each layer has its own.
        """
        return 2 * self.layers if self.encoder_decoder else self.layers


def cache_shape(network: Network) -> CacheShape:
    """The shape of a network's cache, found by computing one token.

    Raises:
        ModelError: a network without an ordinary key-value cache, or whose layers differ in shape.
    """
    embeddings = network.get_input_embeddings().weight
    token = torch.zeros(1, 1, dtype=torch.long, device=embeddings.device)
    encoder_decoder = bool(network.config.is_encoder_decoder)
    inputs = {"decoder_input_ids": token} if encoder_decoder else {}
    try:
        with torch.no_grad():
            cache: object = getattr(network(input_ids=token, use_cache=True, **inputs), "past_key_values", None)
    except REFUSALS:
        cache = None
    if isinstance(cache, EncoderDecoderCache):
        cache = cache.self_attention_cache
    known = {DynamicLayer, DynamicSlidingWindowLayer}
    if not isinstance(cache, DynamicCache) or any(type(layer) not in known for layer in cache.layers):
        raise ModelError(
            f"prefix tuning cannot be used with {type(network).__name__}", expected="an ordinary key-value cache"
        )
    layers = [layer for layer in cache.layers if isinstance(layer, DynamicLayer)]
    sides = [side for layer in layers for side in (layer.keys, layer.values) if side is not None]
    shapes = {(int(side.shape[1]), int(side.shape[3])) for side in sides}
    if len(shapes) != 1:
        raise ModelError(
            f"prefix tuning cannot be used with {type(network).__name__}",
            expected="keys and values of one shape in all layers",
        )
    (heads, head_width) = shapes.pop()
    slides = any(type(layer) is DynamicSlidingWindowLayer for layer in layers)
    return CacheShape(len(layers), heads, head_width, slides, encoder_decoder)


@dataclass(frozen=True, slots=True)
class KeyValuePrefix:
    """A prefix for every decoder layer.

    Attributes:
        keys_values: [layers, 2, heads, virtual tokens, head width]: each layer's keys, then its values.
        shape: the shape of the cache that receives it.
        config: the network's configuration, for the kinds of its layers.
    """

    keys_values: torch.Tensor
    shape: CacheShape
    config: NetworkConfig

    @property
    def count(self) -> int:
        """How many virtual tokens there are."""
        return int(self.keys_values.shape[3])

    def cache(self, rows: int) -> DynamicCache | EncoderDecoderCache:
        """A new cache that holds the prefix and nothing else, for this number of rows. Gradients flow through it."""
        decoder = DynamicCache() if self.shape.encoder_decoder else DynamicCache(config=self.config)
        for layer, (keys, values) in enumerate(self.keys_values):
            decoder.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
        return EncoderDecoderCache(decoder, DynamicCache()) if self.shape.encoder_decoder else decoder


def prefix_from_flat(
    flat: torch.Tensor, *, stored_layers: int, stored_heads: int, shape: CacheShape, config: NetworkConfig
) -> KeyValuePrefix:
    """What PEFT's forward makes of the matrix that it stores.

    Args:
        flat: [virtual tokens, stored layers * 2 * heads * head width].
        stored_layers, stored_heads: the adapter's `num_layers` and `num_attention_heads`.
        shape, config: of the network.

    Raises:
        ModelError: a matrix that does not fit the network's cache.
    """
    wanted = stored_layers * 2 * shape.width
    fits = flat.dim() == 2 and int(flat.shape[1]) == wanted and stored_heads == shape.heads
    if not fits or stored_layers < shape.layers:
        raise ModelError(
            "it was made for another base model",
            expected=f"at least {shape.layers} layers of {shape.heads} heads of width {shape.head_width}",
            got=f"{stored_layers} layers of {stored_heads} heads, a tensor of shape {tuple(flat.shape)}",
        )
    entries = flat.view(int(flat.shape[0]), stored_layers, 2, shape.heads, shape.head_width).permute(1, 2, 3, 0, 4)
    step = 2 if shape.encoder_decoder else 1
    chosen = [step * layer % stored_layers for layer in range(shape.layers)]
    return KeyValuePrefix(entries[chosen], shape, config)


def flat_from_layers(layers: torch.Tensor, shape: CacheShape) -> torch.Tensor:
    """The matrix that PEFT stores, out of [virtual tokens, layers * 2 * width]; entries that PEFT skips are zero."""
    if shape.stored_layers() == shape.layers:
        return layers
    rows = int(layers.shape[0])
    own = layers.view(rows, shape.layers, 1, 2 * shape.width)
    return torch.cat([own, torch.zeros_like(own)], dim=2).reshape(rows, -1)
