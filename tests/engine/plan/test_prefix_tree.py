from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.engine.plan.batching import BatchLimit
from phraseproof.engine.plan.prefix_tree import MIN_SHARED_TOKENS, cut_in_order, order_by_prefix, token_trie

tokens_ = st.lists(st.integers(0, 2), min_size=1, max_size=12).map(tuple)
contexts_ = st.lists(tokens_, min_size=1, max_size=12, unique=True)
options_ = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5).map(tuple), min_size=1, max_size=8)


@given(contexts_)
def test_what_is_shared_was_computed_with_the_one_before(contexts: list[tuple[int, ...]]) -> None:
    order = order_by_prefix(contexts)
    assert sorted(order.indices) == list(range(len(contexts)))
    before: tuple[int, ...] = ()
    for index, shared in zip(order.indices, order.shared, strict=True):
        assert contexts[index][:shared] == before[:shared]
        assert shared < len(contexts[index]), "the last token is always computed: its output is wanted"
        assert shared == 0 or shared >= MIN_SHARED_TOKENS
        before = contexts[index]


@given(contexts_)
def test_no_order_shares_more(contexts: list[tuple[int, ...]]) -> None:
    order = order_by_prefix(contexts)
    computed = sum(map(len, contexts)) - sum(order.shared)
    fewest = len({context[:end] for context in contexts for end in range(1, len(context) + 1)})
    assert fewest <= computed <= fewest + (MIN_SHARED_TOKENS - 1) * len(contexts) + len(contexts)


def test_demonstrations_are_computed_once() -> None:
    demonstrations = tuple(range(100, 700))
    contexts = [np.asarray((*demonstrations, *range(index, index + 50)), dtype=np.int32) for index in range(20)]
    order = order_by_prefix(contexts)
    assert order.shared == [0] + [600] * 19


@given(st.lists(st.integers(1, 50), max_size=40), st.none() | st.integers(1, 5), st.none() | st.integers(1, 120))
def test_batches_follow_one_another_within_the_limit(costs: list[int], items: int | None, tokens: int | None) -> None:
    batches = cut_in_order(costs, BatchLimit(items, tokens))
    assert list(itertools.chain(*batches)) == list(range(len(costs)))
    for batch in batches:
        assert items is None or len(batch) <= items
        assert tokens is None or len(batch) == 1 or sum(costs[index] for index in batch) <= tokens


@given(options_)
def test_an_option_tree_holds_every_option_once(options: list[tuple[int, ...]]) -> None:
    tree = token_trie(options)
    assert len(tree.tokens) == len({option[:end] for option in options for end in range(1, len(option))})
    for option, path in zip(options, tree.paths, strict=True):
        assert path[0] == -1
        assert tuple(tree.tokens[node] for node in path[1:]) == option[:-1]
        assert [tree.depths[node] for node in path[1:]] == list(range(1, len(option)))
        assert all(tree.parents[node] == parent for parent, node in itertools.pairwise(path))
    assert tree.targets == options
    assert tree.scored() == list(range(-1, len(tree.tokens))), "whatever is read predicts something"


@given(options_)
def test_a_node_sees_those_that_lead_to_it_and_itself(options: list[tuple[int, ...]]) -> None:
    tree = token_trie(options)
    sees = tree.ancestry()
    for path in tree.paths:
        for place, node in enumerate(path[1:], start=1):
            assert set(np.flatnonzero(sees[node])) == set(path[1 : place + 1])
