"""Plans of calls, carried out by a memory that only knows llama.cpp's rules of sequences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.engine.plan.batching import BatchLimit
from phraseproof.engine.plan.request import Request
from phraseproof.models.llamacpp.sequences import TRUNK, Plan, plan_sequences

TOKEN = st.integers(0, 2)
CONTEXTS = st.lists(TOKEN, min_size=1, max_size=14).map(tuple)
OPTIONS = st.lists(st.lists(TOKEN, min_size=1, max_size=4).map(tuple), min_size=1, max_size=9, unique=True)


def carried_out(plan: Plan) -> dict[tuple[int, int], list[tuple[tuple[int, ...], int]]]:
    """What each option's places saw: the tokens before, and the one that is read."""
    memory: dict[int, list[int]] = {TRUNK: []}
    seen: dict[tuple[int, int], list[tuple[tuple[int, ...], int]]] = {}
    for batch in plan.batches:
        trunk = memory[TRUNK][: batch.kept]
        assert len(trunk) == batch.kept
        memory = {leaf.sequence: trunk[: leaf.held] for leaf in batch.leaves}
        assert TRUNK not in memory
        after: list[tuple[int, ...]] = []
        sets: dict[int, set[int]] = {}
        for token, position, sequences in zip(batch.tokens, batch.positions, batch.sequences, strict=True):
            assert sequences
            # llama.cpp refuses coupled sequences that differ, gaps, and sets of sequences that grow.
            assert len({tuple(memory[sequence]) for sequence in sequences}) == 1
            for sequence in sequences:
                assert position == len(memory[sequence])
                assert sets.get(sequence, set(sequences)) >= set(sequences)
                sets[sequence] = set(sequences)
                memory[sequence].append(token)
            after.append(tuple(memory[sequences[0]]))
        for place in batch.places:
            assert batch.scored[place.row]
            seen.setdefault((place.request, place.option), []).append((after[place.row], place.token))
        memory = {TRUNK: memory[batch.last.sequence][: batch.last.held]}
    return seen


def expected(requests: Sequence[Request]) -> dict[tuple[int, int], list[tuple[tuple[int, ...], int]]]:
    return {
        (index, number): [((*request.context.tolist(), *option[:place]), option[place]) for place in range(len(option))]
        for index, request in enumerate(requests)
        for number, option in enumerate(request.options)
    }


def as_requests(drawn: Sequence[tuple[tuple[int, ...], list[tuple[int, ...]]]]) -> list[Request]:
    return [Request(np.array(context, dtype=np.int32), tuple(options)) for context, options in drawn]


@given(
    drawn=st.lists(st.tuples(CONTEXTS, OPTIONS), min_size=1, max_size=12, unique_by=lambda each: each[0]),
    tokens=st.sampled_from([1, 10, 30, 1000]),
    sequences=st.sampled_from([2, 3, 6, 256]),
)
def test_every_place_sees_its_prompt_and_nothing_else(
    drawn: list[tuple[tuple[int, ...], list[tuple[int, ...]]]], tokens: int, sequences: int
) -> None:
    requests = as_requests(drawn)
    plan = plan_sequences(requests, BatchLimit(tokens=tokens), max_sequences=sequences)
    assert carried_out(plan) == expected(requests)
    assert all(len(batch.leaves) < sequences for batch in plan.batches)
    assert sum(plan.computed) == sum(len(batch.tokens) for batch in plan.batches)
    assert sorted(index for batch in plan.batches for index in batch.requests) == list(range(len(requests)))


def test_shared_beginnings_are_computed_once() -> None:
    beginning = tuple(range(10, 30))
    requests = as_requests([((*beginning, last), [(1,), (2,), (3, 4)]) for last in (1, 2, 3)])
    for limit in (BatchLimit(), BatchLimit(items=1)):
        plan = plan_sequences(requests, limit, max_sequences=256)
        # 20 tokens once, one of each prompt, one of the long option after each.
        assert sum(plan.computed) == 20 + 3 + 3
    assert [batch.kept for batch in plan.batches] == [0, 20, 20]


@pytest.mark.parametrize("items", [1, 2])
def test_batches_have_so_many_prompts(items: int) -> None:
    requests = as_requests([((index, index), [(1,)]) for index in range(4)])
    plan = plan_sequences(requests, BatchLimit(items=items), max_sequences=256)
    assert [len(batch.requests) for batch in plan.batches] == [items] * (4 // items)
