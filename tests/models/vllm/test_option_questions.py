"""Options as questions about next tokens: the sums are log-likelihoods, and no text is asked twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.engine.plan.request import Request
from phraseproof.models.vllm.option_questions import MOST_WANTED, NextTokenAnswer, NextTokenQuestion, score_requests


class Bigrams:
    """The probability of the next token depends on the length of the text and its last token, by a formula."""

    def __init__(self) -> None:
        self.asked: list[NextTokenQuestion] = []

    @staticmethod
    def logprob(text: Sequence[int], token: int) -> float:
        return -0.01 * len(text) - 0.1 * text[-1] - token

    def ask(self, questions: Sequence[NextTokenQuestion]) -> list[NextTokenAnswer]:
        self.asked += questions
        return [
            NextTokenAnswer(tuple(self.logprob(question.text, token) for token in question.wanted), 1)
            for question in questions
        ]


tokens = st.lists(st.integers(0, 5), min_size=1, max_size=4).map(tuple)


@given(st.lists(st.tuples(tokens, st.lists(tokens, min_size=1, max_size=5, unique=True)), min_size=1, max_size=4))
def test_sums_over_tokens(cases: list[tuple[tuple[int, ...], list[tuple[int, ...]]]]) -> None:
    engine = Bigrams()
    requests = [Request(np.array(context, dtype=np.int32), tuple(options)) for context, options in cases]
    for (context, options), found in zip(cases, score_requests(engine, requests), strict=True):
        for option, logprob in zip(options, found.logprobs, strict=True):
            whole = (*context, *option)
            expected = sum(Bigrams.logprob(whole[:end], whole[end]) for end in range(len(context), len(whole)))
            assert logprob == pytest.approx(expected)
    assert len(engine.asked) <= sum(len(option) for _, options in cases for option in options)


def test_letters_are_one_question_and_shared_beginnings_are_asked_once() -> None:
    engine = Bigrams()
    letters = Request(np.array([9, 8], dtype=np.int32), ((1,), (2,), (3,), (4,)))
    words = Request(np.array([7], dtype=np.int32), ((1, 2, 3), (1, 2, 4), (5,)))
    found = score_requests(engine, [letters, words])
    assert engine.asked == [
        NextTokenQuestion((9, 8), (1, 2, 3, 4)),
        NextTokenQuestion((7,), (1, 5)),
        NextTokenQuestion((7, 1), (2,)),
        NextTokenQuestion((7, 1, 2), (3, 4)),
    ]
    assert [each.computed for each in found] == [1, 3]


def test_many_candidates_are_asked_in_groups() -> None:
    engine = Bigrams()
    count = 2 * MOST_WANTED + 1
    request = Request(np.array([3], dtype=np.int32), tuple((token,) for token in range(count)))
    (found,) = score_requests(engine, [request])
    assert [len(question.wanted) for question in engine.asked] == [MOST_WANTED, MOST_WANTED, 1]
    assert found.logprobs == pytest.approx([Bigrams.logprob([3], token) for token in range(count)])
