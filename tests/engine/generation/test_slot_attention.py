"""Attention to slots and shared beginnings, against torch's attention text by text."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from phraseproof.engine.generation.slot_attention import (
    HIDDEN,
    Products,
    Shared,
    SharedSlots,
    Tail,
    attend_to_slots,
    common_length,
)

LENGTHS = [3, 7, 1, 5]
SHARED = [0, 2]


def drawn(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("key_heads", [1, 2, 4])
@pytest.mark.parametrize("softcap", [None, 1.5])
def test_each_text_attends_to_its_beginning_and_its_own_tokens(key_heads: int, softcap: float | None) -> None:
    query = drawn(4, 4, 8, seed=0)
    keys, values = drawn(4, key_heads, 9, 8, seed=1), drawn(4, key_heads, 9, 8, seed=2)
    of_keys, of_values = drawn(key_heads, 6, 8, seed=3), drawn(key_heads, 6, 8, seed=4)
    hidden = torch.arange(9) >= torch.tensor(LENGTHS)[:, None]
    seen = torch.tensor([[True] * 6, [False] * 3 + [True] * 3])
    shared = Shared(2, of_keys, of_values, ~seen * HIDDEN)
    slots = SharedSlots.of([SHARED], 4, query.device)
    found = attend_to_slots(query, keys, values, (hidden * HIDDEN)[:, None], Products(0.3, softcap), slots, [shared])
    longer = torch.tensor([0, 1, 3])
    bias = (hidden * HIDDEN)[:, None]
    tail = Tail(longer, keys[longer, :, 2:], values[longer, :, 2:], bias[longer, :, 2:])
    parts = attend_to_slots(
        query, keys[:, :, :2], values[:, :, :2], bias[..., :2], Products(0.3, softcap), slots, [shared], tail
    )
    assert torch.allclose(parts, found, atol=1e-5)
    for slot, length in enumerate(LENGTHS):
        own_keys, own_values = keys[slot, :, :length], values[slot, :, :length]
        if slot in SHARED:
            some = seen[SHARED.index(slot)]
            own_keys = torch.cat([of_keys[:, some], own_keys], dim=1)
            own_values = torch.cat([of_values[:, some], own_values], dim=1)
        own_keys, own_values = (side.repeat_interleave(4 // key_heads, dim=0) for side in (own_keys, own_values))
        asked = query[slot, :, None]
        if softcap is None:
            expected = functional.scaled_dot_product_attention(asked, own_keys, own_values, scale=0.3)
        else:
            scores = torch.tanh(asked @ own_keys.transpose(1, 2) * 0.3 / softcap) * softcap
            expected = torch.softmax(scores, dim=-1) @ own_values
        assert torch.allclose(found[slot], expected[:, 0], atol=1e-5)


def test_a_beginning_of_which_nothing_is_seen_adds_nothing() -> None:
    query, keys, values = drawn(1, 2, 4, seed=0), drawn(1, 2, 3, 4, seed=1), drawn(1, 2, 3, 4, seed=2)
    bias = torch.zeros(1, 1, 3)
    nothing = Shared(1, drawn(2, 5, 4, seed=3), drawn(2, 5, 4, seed=4), torch.full((1, 5), HIDDEN))
    products = Products(0.5)
    assert torch.equal(
        attend_to_slots(query, keys, values, bias, products, SharedSlots.of([[0]], 1, query.device), [nothing]),
        attend_to_slots(query, keys, values, bias, products),
    )


def test_slots_are_read_together_up_to_the_length_with_the_least_work() -> None:
    assert common_length([40] * 30 + [200]) == 40
    assert common_length([200] * 30 + [40]) == 200
    assert common_length([7]) == 7
    assert common_length([100, 104, 108]) == 108


@pytest.mark.parametrize("has_bias", [True, False])
def test_several_beginnings_in_any_order_of_slots(has_bias: bool) -> None:
    members = [[3, 0], [1], [4, 2]]
    query, keys, values = drawn(5, 4, 8, seed=0), drawn(5, 2, 3, 8, seed=1), drawn(5, 2, 3, 8, seed=2)
    beginnings = [(drawn(2, 4 + each, 8, seed=3 + each), drawn(2, 4 + each, 8, seed=9 + each)) for each in range(3)]
    seen = [torch.ones(len(slots), 4 + each, dtype=torch.bool) for each, slots in enumerate(members)]
    if has_bias:
        seen[0][1, :2] = False
    shared = [
        Shared(len(slots), *sides, ~some * HIDDEN if has_bias else None)
        for slots, sides, some in zip(members, beginnings, seen, strict=True)
    ]
    slots = SharedSlots.of(members, 5, query.device)
    assert slots.back is not None
    found = attend_to_slots(query, keys, values, torch.zeros(5, 1, 3), Products(0.5), slots, shared)
    for which, some in enumerate(members):
        for place, slot in enumerate(some):
            visible = seen[which][place]
            own_keys = torch.cat([beginnings[which][0][:, visible], keys[slot]], dim=1).repeat_interleave(2, dim=0)
            own_values = torch.cat([beginnings[which][1][:, visible], values[slot]], dim=1).repeat_interleave(2, dim=0)
            expected = functional.scaled_dot_product_attention(query[slot, :, None], own_keys, own_values, scale=0.5)
            assert torch.allclose(found[slot], expected[:, 0], atol=1e-5)


def test_values_of_another_width_than_keys() -> None:
    """Those of latent attention."""
    query, keys, values = drawn(2, 2, 6, seed=0), drawn(2, 2, 3, 6, seed=1), drawn(2, 2, 3, 4, seed=2)
    of_keys, of_values = drawn(2, 5, 6, seed=3), drawn(2, 5, 4, seed=4)
    slots = SharedSlots.of([[0, 1]], 2, query.device)
    shared = [Shared(2, of_keys, of_values, None)]
    found = attend_to_slots(query, keys, values, torch.zeros(2, 1, 3), Products(0.5), slots, shared)
    for slot in range(2):
        sides = torch.cat([of_keys, keys[slot]], dim=1), torch.cat([of_values, values[slot]], dim=1)
        expected = functional.scaled_dot_product_attention(query[slot, :, None], *sides, scale=0.5)
        assert torch.allclose(found[slot], expected[:, 0], atol=1e-5)
