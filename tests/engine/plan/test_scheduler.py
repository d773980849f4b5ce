"""Schedules: what each request computes, and in which batches."""

from __future__ import annotations

import numpy as np

from phraseproof.engine.plan import scheduler
from phraseproof.engine.plan.batching import BatchLimit
from phraseproof.engine.plan.request import Options, Request

OPTIONS: Options = ((1,), (2, 3))


def request(*context: int) -> Request:
    return Request(np.asarray(context, dtype=np.int32), OPTIONS)


def test_padded_batches_take_the_longest_first() -> None:
    requests = [request(1), request(1, 2, 3), request(1, 2)]
    planned = scheduler.padded(requests, [1, 3, 2], [5, 6, 7], BatchLimit(items=2))
    assert planned.batches == [[1, 2], [0]]
    assert planned.computed == [5, 6, 7]


def test_packed_batches_share_nothing_between_contexts() -> None:
    requests = [request(1, 2, 3, 4, 5), request(1, 2, 3, 4, 5, 6)]
    planned = scheduler.packed(requests, BatchLimit(), before=2, first=1, scored_weight=10)
    # Two virtual tokens, the context, a start token, and the one node of the trie: of (2, 3) only 2 is read.
    assert planned.computed == [2 + 5 + 1 + 1, 2 + 6 + 1 + 1]
    assert planned.weights == [9 + 20, 10 + 20]
    assert planned.batches == [[1, 0]]


def test_shared_prefixes_are_computed_once() -> None:
    requests = [request(1, 2, 3, 4, 5, 9), request(1, 2, 3, 4, 5, 6)]
    planned = scheduler.shared(requests, BatchLimit(), before=3, scored_weight=0)
    assert [each.shared for each in planned.requests] == [5, 0]
    assert [each.kept for each in planned.requests] == [0, 5]
    # The soft prompt counts once, for the first in order; each computes its own trie's node.
    assert planned.computed == [1 + 1, 6 + 1 + 3]
    assert planned.batches == [[1, 0]]
