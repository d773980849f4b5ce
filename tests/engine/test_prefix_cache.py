"""Prefixes in every layer: from the matrix that PEFT stores and back."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from phraseproof.engine.prefix_cache import CacheShape, cache_shape, flat_from_layers, prefix_from_flat
from phraseproof.errors import ModelError
from support import tiny_models


@pytest.mark.parametrize("encoder_decoder", [False, True])
def test_layers_survive_the_stored_form(encoder_decoder: bool) -> None:
    shape = CacheShape(3, 2, 4, False, encoder_decoder)
    layers = torch.randn(5, 3 * 2 * shape.width)
    flat = flat_from_layers(layers, shape)
    stored = shape.stored_layers()
    prefix = prefix_from_flat(flat, stored_layers=stored, stored_heads=2, shape=shape, config=None)
    assert prefix.count == 5
    expected = layers.view(5, 3, 2, 2, 4).permute(1, 2, 3, 0, 4)
    assert torch.equal(prefix.keys_values, expected)


def test_the_cache_holds_the_prefix_in_every_row() -> None:
    network = tiny_models.llama_network(64)
    shape = cache_shape(network)
    flat = torch.randn(4, shape.layers * 2 * shape.width)
    prefix = prefix_from_flat(
        flat, stored_layers=shape.layers, stored_heads=shape.heads, shape=shape, config=network.config
    )
    cache: Any = prefix.cache(2)  # transformers does not declare the keys of a layer's cache
    assert cache.get_seq_length() == 4
    assert torch.equal(cache.layers[0].keys[1], prefix.keys_values[0, 0])


def test_a_matrix_of_another_width_is_refused() -> None:
    shape = CacheShape(3, 2, 4, False, False)
    with pytest.raises(ModelError, match="another base model"):
        prefix_from_flat(torch.zeros(5, 7), stored_layers=3, stored_heads=2, shape=shape, config=None)
