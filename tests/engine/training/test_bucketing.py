"""Batches by length: every row once, and never dearer than one padded batch or one batch a row."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from phraseproof.engine.training.bucketing import TargetRow, bucket_by_length, merge_small_batches

lengths = st.lists(st.integers(1, 400), max_size=20)


def padded(batches: list[list[int]], lengths: list[int]) -> int:
    return sum(max(lengths[index] for index in batch) * len(batch) for batch in batches)


@given(lengths)
def test_every_row_is_in_one_batch(lengths: list[int]) -> None:
    batches = bucket_by_length(lengths, batch_costs=48)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(batches)


@given(lengths)
def test_padding_never_exceeds_that_of_one_batch(lengths: list[int]) -> None:
    assert padded(bucket_by_length(lengths, batch_costs=48), lengths) <= padded(
        [list(range(len(lengths)))] if lengths else [], lengths
    )


def test_similar_lengths_stay_together_and_others_part() -> None:
    assert bucket_by_length([100, 104, 98, 101], batch_costs=48) == [[2, 0, 3, 1]]
    assert bucket_by_length([400, 60, 62, 390], batch_costs=48) == [[1, 2], [3, 0]]
    assert bucket_by_length([], batch_costs=48) == []


rows = st.builds(
    lambda context, target: TargetRow((1,) * context, (2,) * target), st.integers(1, 400), st.integers(1, 60)
)
batches_of_rows = st.lists(st.lists(rows, min_size=1, max_size=4), max_size=8)


@given(batches_of_rows)
def test_joined_batches_are_small_in_order_and_as_many_as_go(batches: list[list[TargetRow]]) -> None:
    vocabulary = 32_000

    def size(run: list[int]) -> tuple[int, int]:
        joined = [row for index in run for row in batches[index]]
        prompts = sum(len(context) for context in {row.context for row in joined})
        tokens = prompts + sum(len(row.target) for row in joined)
        return tokens, len(joined) * max(len(row.target) for row in joined) * vocabulary

    runs = [list(run) for run in merge_small_batches(batches, vocabulary)]
    assert [index for run in runs for index in run] == list(range(len(batches)))
    for run in runs:
        tokens, logits = size(run)
        assert len(run) == 1 or (tokens <= 2048 and logits <= 2**22)
    for run, following in itertools.pairwise(runs):
        tokens, logits = size([*run, following[0]])
        assert tokens > 2048 or logits > 2**22, "one more batch would have gone in"


def test_a_prompt_of_many_options_counts_once() -> None:
    options = [[TargetRow((first, *range(500)), (option,)) for option in range(6)] for first in range(4)]
    assert merge_small_batches(options, 1000) == [range(4)]
    others = [[TargetRow((6 * first + row, *range(500)), (1,)) for row in range(6)] for first in range(4)]
    assert len(merge_small_batches(others, 1000)) == 4
