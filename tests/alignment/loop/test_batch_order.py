"""Batches are a function of the seed and their number, and every epoch goes through all pairs."""

from __future__ import annotations

import collections

from hypothesis import given
from hypothesis import strategies as st

from phraseproof.alignment.loop.batch_order import BatchOrder, SetShape


def shapes(count: int, *, paraphrases: int = 5, negations: int = 0, references: int = 1) -> list[SetShape]:
    return [SetShape(f"reference {index % references}", paraphrases, negations) for index in range(count)]


@given(count=st.integers(1, 12), wordings=st.integers(1, 6), seed=st.integers(0, 5), epoch=st.integers(0, 3))
def test_an_epoch_holds_every_pair_once(count: int, wordings: int, seed: int, epoch: int) -> None:
    order = BatchOrder(shapes(count), references=1, wordings=wordings, seed=seed)
    assert order.batches_per_epoch == count
    batches = [order.batch(epoch * count + index) for index in range(count)]
    assert sorted(draw.pair for (draw,) in batches) == list(range(count))
    for (draw,) in batches:
        assert len(draw.paraphrases) == min(wordings, 5)
        assert list(draw.paraphrases) == sorted(set(draw.paraphrases))
        assert set(draw.paraphrases) <= set(range(5))


def test_any_batch_can_be_asked_for_first() -> None:
    forwards = [BatchOrder(shapes(7), references=1, wordings=3, seed=1).batch(index) for index in range(30)]
    order = BatchOrder(shapes(7), references=1, wordings=3, seed=1)
    assert [order.batch(index) for index in reversed(range(30))] == forwards[::-1]


def test_epochs_and_seeds_differ() -> None:
    first = BatchOrder(shapes(10), references=1, wordings=3, seed=0)
    second = BatchOrder(shapes(10), references=1, wordings=3, seed=1)
    epochs = [[first.batch(epoch * 10 + index) for index in range(10)] for epoch in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]
    assert [second.batch(index) for index in range(10)] != epochs[0]
    # Over epochs each wording of a pair has its turn.
    turns = collections.Counter(p for index in range(300) for p in first.batch(index)[0].paraphrases)
    assert set(turns) == set(range(5))


@given(count=st.integers(2, 11), kinds=st.integers(2, 4), epoch=st.integers(0, 2))
def test_two_references_a_batch_are_different_where_they_can_be(count: int, kinds: int, epoch: int) -> None:
    known = shapes(count, references=kinds)
    order = BatchOrder(known, references=2, wordings=2, seed=3)
    assert order.batches_per_epoch == count // 2
    batches = [order.batch(epoch * (count // 2) + index) for index in range(count // 2)]
    drawn = [draw.pair for batch in batches for draw in batch]
    assert len(set(drawn)) == len(drawn) == 2 * (count // 2)
    first, second = batches[0]
    assert known[first.pair].reference != known[second.pair].reference


def test_negations_are_drawn_too() -> None:
    (draw,) = BatchOrder(shapes(1, paraphrases=0, negations=4), references=1, wordings=3, seed=0).batch(0)
    assert draw.paraphrases == ()
    assert len(draw.negations) == 3


def one_wording(count: int, *, per_draw: int = 4, seed: int = 0) -> BatchOrder:
    keys = ("reference", "first", "second", "third")
    made = [SetShape("reference", 3, 0, keys if index % 2 else keys[::-1]) for index in range(count)]
    return BatchOrder(made, references=1, wordings=2, seed=seed, batches_per_draw=per_draw)


def test_sets_with_the_same_wordings_draw_the_same_one_in_a_step() -> None:
    order = one_wording(8)
    keys = ("reference", "first", "second", "third")
    drawn: list[str] = []
    for step in range(60):
        found = set()
        for (draw,) in (order.batch(4 * step + micro) for micro in range(4)):
            assert draw.has_reference == (not draw.paraphrases)
            place = draw.paraphrases[0] + 1 if draw.paraphrases else 0
            found.add((keys if draw.pair % 2 else keys[::-1])[place])
        assert len(found) == 1
        drawn += found
    # Four equally probable wordings in 60 steps: 15 each, standard deviation 3.4.
    assert all(3 < count < 29 for count in collections.Counter(drawn).values())
    assert len(set(drawn)) == 4
    assert [one_wording(8).batch(n) for n in range(9)] == [order.batch(n) for n in range(9)]
    assert [one_wording(8, seed=1).batch(n) for n in range(40)] != [order.batch(n) for n in range(40)]
