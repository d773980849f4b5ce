"""Plans of blocks: nothing lost, nothing seen that should not be, and little padding."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.engine.plan.attention_blocks import (
    FEWEST_KEYS,
    FEWEST_QUERIES,
    AttentionQuery,
    plan_blocks,
    size_class,
)
from support.block_asks import asks, pairs, row_of


@given(asks(), st.sampled_from([1, 500, 10_000]))
def test_every_query_sees_what_it_asked_for(some: list[AttentionQuery], largest: int) -> None:
    plan = plan_blocks(some, row_of(some), largest=largest)
    assert sorted(unit for block in plan.blocks for unit in block.units) == list(range(len(some)))
    # Of every answer, in the order in which blocks give them: who asked, and what it was shown.
    answers: list[tuple[int, set[int]]] = []
    for block in plan.blocks:
        units, queries = block.asking.shape
        for unit in range(units):
            for query in range(queries):
                if block.causal:
                    sees = np.arange(block.seen.shape[1]) <= query
                else:
                    sees = np.ones(block.seen.shape[1], bool) if block.visible is None else block.visible[unit, query]
                assert sees.any()
                answers.append((int(block.asking[unit, query]), set(block.seen[unit, sees].tolist())))
    expected = dict(pair for ask in some for pair in pairs(ask))
    for place in range(row_of(some)):
        if place in expected:
            assert answers[plan.where[place]] == (place, expected[place])
        else:
            assert plan.where[place] == len(answers)


@given(asks())
def test_padding_is_bounded(some: list[AttentionQuery]) -> None:
    for block in plan_blocks(some, row_of(some)).blocks:
        members = [some[unit] for unit in block.units]
        assert block.asking.shape[1] == max(len(ask.asking) for ask in members)
        assert block.asking.shape[1] < 1.5 * max(FEWEST_QUERIES, min(len(ask.asking) for ask in members))
        keys = max(len(ask.seen) for ask in members)
        assert keys < 1.5 * max(FEWEST_KEYS, min(len(ask.seen) for ask in members))
        assert block.seen.shape[1] in {keys, keys + -keys % 8}


@given(asks(), st.integers(2, 5))
def test_more_units_of_the_same_sizes_take_no_more_blocks(some: list[AttentionQuery], times: int) -> None:
    step = row_of(some)
    more = [ask._replace(asking=ask.asking + step * turn) for turn in range(times) for ask in some]
    assert len(plan_blocks(more, step * times).blocks) == len(plan_blocks(some, step).blocks)


@given(asks(), st.integers(1, 2000))
def test_blocks_are_no_larger_than_they_may_be(some: list[AttentionQuery], largest: int) -> None:
    for block in plan_blocks(some, row_of(some), largest=largest).blocks:
        members = [some[unit] for unit in block.units]
        queries, keys = (max(len(place) for place in side) for side in zip(*(ask[:2] for ask in members), strict=True))
        assert len(block.units) == 1 or len(block.units) * queries * keys <= largest


def test_units_of_one_size_that_see_all_need_no_mask() -> None:
    same = [AttentionQuery(np.arange(4 * unit, 4 * unit + 4), np.arange(7 * unit, 7 * unit + 7)) for unit in range(3)]
    (block,) = plan_blocks(same, 12).blocks
    assert block.visible is None
    assert block.seen.shape == (3, 7)


@given(st.integers(1, 10_000))
def test_classes_of_sizes(size: int) -> None:
    assert size <= size_class(size)
    assert size_class(size_class(size)) == size_class(size)
    # The largest size of the class below, and the first of this one.
    below = max((other for other in range(1, size) if size_class(other) < size_class(size)), default=0)
    assert size_class(size) < 1.5 * (below + 1)
