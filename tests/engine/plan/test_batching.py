from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.engine.plan.batching import (
    BatchLimit,
    plan_batches,
    run_batches,
    share_rows,
    shared_tokens,
    token_bytes,
)
from phraseproof.errors import ModelError

lengths_ = st.lists(st.integers(1, 300), max_size=60)
limits = st.builds(BatchLimit, st.none() | st.integers(1, 9), st.none() | st.integers(1, 900))
sequences_ = st.lists(st.lists(st.integers(0, 3), max_size=6).map(tuple), min_size=1, max_size=12)


@given(lengths_, limits)
def test_every_item_is_planned_once_within_the_limit_and_longest_first(lengths: list[int], limit: BatchLimit) -> None:
    batches = plan_batches(lengths, limit)
    assert sorted(itertools.chain(*batches)) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[index] for index in batch)
        assert limit.items is None or len(batch) <= limit.items
        assert limit.tokens is None or len(batch) == 1 or longest * len(batch) <= limit.tokens
    flat = [lengths[index] for batch in batches for index in batch]
    assert flat == sorted(flat, reverse=True)


@given(lengths_, limits)
def test_no_batch_stops_before_it_must(lengths: list[int], limit: BatchLimit) -> None:
    for batch, after in itertools.pairwise(plan_batches(lengths, limit)):
        grown = len(batch) + 1
        too_many = limit.items is not None and grown > limit.items
        too_long = limit.tokens is not None and grown * lengths[batch[0]] > limit.tokens
        assert after
        assert too_many or too_long


class _Memory:
    """A machine that can hold so many tokens at once."""

    def __init__(self, tokens: int, lengths: list[int]) -> None:
        self.tokens = tokens
        self.lengths = lengths
        self.tried: list[list[int]] = []
        self.released = 0

    def run(self, batch: Sequence[int]) -> list[int]:
        indices = list(batch)
        self.tried.append(indices)
        if max(self.lengths[index] for index in indices) * len(indices) > self.tokens:
            raise MemoryError
        return [self.lengths[index] for index in indices]

    def release(self) -> None:
        self.released += 1


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(50, 400))
def test_batches_that_do_not_fit_are_halved_and_every_item_is_run_once(lengths: list[int], memory: int) -> None:
    machine = _Memory(memory, lengths)
    results = run_batches(
        plan_batches(lengths, BatchLimit()),
        lengths,
        machine.run,
        out_of_memory=lambda error: isinstance(error, MemoryError),
        release=machine.release,
    )
    found = {index: value for batch, values in results for index, value in zip(batch, values, strict=True)}
    assert found == dict(enumerate(lengths))


def test_a_size_that_did_not_fit_is_not_tried_again() -> None:
    lengths = [10] * 64
    machine = _Memory(100, lengths)
    list(
        run_batches(
            plan_batches(lengths, BatchLimit(items=16)),
            lengths,
            machine.run,
            out_of_memory=lambda error: isinstance(error, MemoryError),
            release=machine.release,
        )
    )
    assert machine.released == 1
    assert [len(batch) for batch in machine.tried] == [16] + [8] * 8


def test_one_item_that_does_not_fit_is_an_error_and_other_errors_pass() -> None:
    machine = _Memory(5, [10])
    arguments = ([[0]], [10], machine.run)
    with pytest.raises(ModelError, match="memory ran out on a single prompt of about 10 tokens"):
        list(run_batches(*arguments, out_of_memory=lambda _: True, release=machine.release))
    with pytest.raises(MemoryError):
        list(run_batches(*arguments, out_of_memory=lambda _: False, release=machine.release))


@given(sequences_)
def test_shared_rows_hold_every_sequence_and_none_holds_another(sequences: list[tuple[int, ...]]) -> None:
    rows, row_of = share_rows(sequences)
    for sequence, row in zip(sequences, row_of, strict=True):
        assert rows[row][: len(sequence)] == sequence
    for one, other in itertools.permutations(rows, 2):
        assert one[: len(other)] != other
    assert set(rows) <= set(sequences)


@given(sequences_)
def test_what_two_sequences_share(sequences: list[tuple[int, ...]]) -> None:
    for one, other in itertools.product(sequences, repeat=2):
        expected = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))
        assert shared_tokens(token_bytes(one), token_bytes(other)) == expected
