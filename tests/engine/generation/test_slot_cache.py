"""Slots keep what was stored when room grows and when other slots are dropped."""

from __future__ import annotations

import torch

from phraseproof.engine.generation.slot_cache import SharedBeginning, SlotCache


def tokens(seed: int, count: int) -> torch.Tensor:
    return torch.randn(2, count, 3, generator=torch.Generator().manual_seed(seed))


def test_what_is_stored_stays_when_room_grows_and_slots_go() -> None:
    cache = SlotCache()
    sizes = [4, 9, 6]
    for slot, size in enumerate(sizes):
        cache.reserve(slot + 1, size)
        cache.store(5, slot, tokens(slot, size), -tokens(slot, size))
        assert cache.add(size, None) == slot
    cache.reserve(3, 200)
    keys, values = cache.layer(5, tokens(0, 1), tokens(0, 1))
    assert keys.shape == (3, 2, 224, 3)
    assert cache.token_bytes == 2 * 2 * 3 * 4
    for slot, size in enumerate(sizes):
        assert torch.equal(keys[slot, :, :size], tokens(slot, size))
        assert torch.equal(values[slot, :, :size], -tokens(slot, size))
    cache.drop(0)
    assert cache.lengths == [6, 9]
    assert torch.equal(keys[0, :, :6], tokens(2, 6))
    assert torch.equal(keys[1, :, :9], tokens(1, 9))
    cache.drop(1)
    assert cache.lengths == [6]
    assert len(cache) == 1


def test_a_shared_beginning_is_freed_with_its_last_text() -> None:
    cache, shared = SlotCache(), SharedBeginning(4, 2)
    shared.layers[0] = tokens(0, 4), tokens(1, 4)
    cache.reserve(2, 3)
    for slot in range(2):
        cache.store(0, slot, tokens(slot, 1), tokens(slot, 1))
        cache.add(1, shared)
    cache.drop(0)
    assert shared.layers
    cache.drop(0)
    assert not shared.layers
