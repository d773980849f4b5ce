"""Continuous batching with a decoder that only counts: order, room, memory that runs out, near-ties."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from transformers import LogitsProcessorList

from phraseproof.engine.generation.texts import PlannedText
from phraseproof.engine.generation.token_choice import RoundingTies, TokenChooser
from phraseproof.engine.generation.writing import Room, WrittenTokens, planned_texts, write_texts
from phraseproof.engine.plan.request import Request
from phraseproof.errors import ModelError

END = 9


class Counter:
    """Writes the first token of a context that number of times, then the end token."""

    lead_tokens, token_bytes = 0, 1

    def __init__(self, *, shares: bool = True, most_texts: int = 100, tie_at: int | None = None) -> None:
        self.shares_beginnings = shares
        self.most_texts, self.tie_at = most_texts, tie_at
        self.texts: list[list[int]] = []
        self.largest = self.steps = 0

    def start(self, texts: Sequence[PlannedText]) -> torch.Tensor:
        first = len(self.texts)
        self.texts += [[int(text.request.context[0]), 0] for text in texts]
        self.largest = max(self.largest, len(self.texts))
        if len(self.texts) > self.most_texts:
            raise MemoryError
        return self._logits(first)

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        assert list(tokens) == [token for token, _ in self.texts]
        self.steps += 1
        return self._logits(0)

    def drop(self, number: int) -> None:
        self.texts[number] = self.texts[-1]
        self.texts.pop()

    def _logits(self, first: int) -> torch.Tensor:
        logits = torch.zeros(len(self.texts) - first, 10)
        for row, text in enumerate(self.texts[first:]):
            logits[row, text[0] if text[1] < text[0] else END] = 20.0
            if self.tie_at == text[0] and text[1] == 1:
                logits[row, 0] = 20.0
            text[1] += 1
        return logits


def requests(*first: int, more: int = 60) -> list[Request]:
    return [Request(np.asarray([token, *range(more)], dtype=np.int32), ()) for token in first]


def written(
    decoder: Counter, some: list[Request], room: Room, most: int = 8, again: Counter | None = None
) -> list[WrittenTokens]:
    decoders = [decoder, *([again] if again else [])]
    return list(
        write_texts(
            lambda: decoders.pop(0),
            some,
            TokenChooser(LogitsProcessorList(), ties=RoundingTies()),
            most=most,
            room=room,
            has_ended=lambda tokens: tokens[-1] == END,
            out_of_memory=lambda error: isinstance(error, MemoryError),
            release=lambda: None,
        )
    )


def test_complete_texts_leave_and_waiting_ones_enter() -> None:
    decoder = Counter()
    found = written(decoder, requests(3, 1, 5, 2, 1, 7, 4), Room(3, 10**6, 10**6))
    assert {each.text: each.tokens for each in found} == {
        number: [token] * token + [END] for number, token in enumerate((3, 1, 5, 2, 1, 7, 4))
    }
    assert decoder.largest == 3
    # The texts of 1 token leave before those that began with them.
    assert {each.text for each in found[:2]} == {1, 4}
    assert sum(each.computed for each in found) == 7 * 61 - 60
    # In groups of three that wait for each other it would be 1 + 4 and more.
    assert decoder.steps <= 16


def test_room_bounds_texts_by_tokens_and_passes() -> None:
    decoder = Counter()
    written(decoder, requests(1, 2, 3, 4, 5), Room(10, 2 * (61 + 8), 10**6))
    assert decoder.largest == 2
    decoder = Counter()
    written(decoder, requests(1, 2, 3, 4, 5), Room(10, 1, 10**6))
    assert decoder.largest == 1
    decoder = Counter()
    written(decoder, requests(8, 8, 7), Room(10, 10**6, 61), most=3)
    assert decoder.largest == 3


def test_texts_that_do_not_end_are_cut_at_the_maximum() -> None:
    (found,) = written(Counter(), requests(8), Room(3, 10**6, 10**6), most=5)
    assert found.tokens == [8] * 5


def test_where_memory_runs_out_half_as_many_texts_are_written_at_once() -> None:
    small = Counter(most_texts=3)
    found = written(Counter(most_texts=3), requests(3, 1, 5, 2, 1), Room(5, 10**6, 10**6), again=small)
    assert {each.text: len(each.tokens) for each in found} == {0: 4, 1: 2, 2: 6, 3: 3, 4: 2}
    assert small.largest == 2
    with pytest.raises(ModelError, match="memory ran out on a single text"):
        written(Counter(most_texts=0), requests(3), Room(1, 10**6, 10**6))


def test_a_near_tie_ends_its_text_alone() -> None:
    found = {each.text: each for each in written(Counter(tie_at=5), requests(3, 5), Room(5, 10**6, 10**6))}
    assert found[1].is_near_tie
    assert found[1].tokens == [5]
    assert not found[0].is_near_tie


def test_contexts_that_share_nothing_are_sorted_by_length() -> None:
    some = [*requests(1, more=3), *requests(2, more=9), *requests(1, more=3)]
    planned = planned_texts(some, 4, Counter(shares=False))
    assert [text for text, _ in planned] == [1, 0, 2]
    assert {each.request.shared for _, each in planned} == {0}


def test_equal_contexts_share_a_beginning() -> None:
    planned = planned_texts(requests(*[1] * 20), 4, Counter())
    (beginning,) = {id(each.beginning): each.beginning for _, each in planned}.values()
    assert beginning is not None
    assert (beginning.tokens, beginning.users) == (60, 20)
    assert [each.request.shared for _, each in planned] == [0] + [60] * 19
