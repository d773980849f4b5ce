"""Groups of texts with a shared beginning: against groups at every threshold of shared tokens."""

from __future__ import annotations

import itertools
import random

from phraseproof.engine.plan.shared_beginnings import Beginning, shared_beginnings


def test_wordings_of_an_example_are_a_group_and_not_all_examples() -> None:
    shared = [0, *[250] * 4, 30, *[200] * 4, 30, 30]
    assert shared_beginnings(shared) == [Beginning(0, 5, 250), Beginning(5, 10, 200)]
    assert shared_beginnings([0, 600, 5, 3]) == [Beginning(0, 2, 600)]
    assert shared_beginnings([0, 100]) == []
    assert shared_beginnings([]) == []
    assert shared_beginnings([7]) == []


def test_no_threshold_of_shared_tokens_saves_more() -> None:
    draw = random.Random(0)
    for size in (2, 3, 5, 8, 20, 20, 60, 60):
        shared = [0, *(draw.choice([0, 3, 10, 11, 40]) for _ in range(size - 1))]
        found = shared_beginnings(shared, least=1)
        for group in found:
            assert group.tokens == min(shared[group.first + 1 : group.after])
        saved = sum(group.tokens * (group.after - group.first - 1) for group in found)
        for threshold in sorted(set(shared)):
            edges = [0, *(place for place in range(1, size) if shared[place] < threshold), size]
            pieces = [shared[first + 1 : after] for first, after in itertools.pairwise(edges)]
            assert saved >= sum(min(piece) * len(piece) for piece in pieces if piece)


def test_growing_texts_are_no_deep_recursion() -> None:
    assert shared_beginnings(list(range(5000)))[0].after == 5000
