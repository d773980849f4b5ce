"""Scores in arrays behave as a list of them."""

from __future__ import annotations

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.core import OptionScores
from phraseproof.models.score_list import ScoreList

counts = st.integers(0, 2**40)
scores = st.builds(
    OptionScores,
    st.lists(st.floats(max_value=0, allow_nan=False), min_size=1, max_size=5).map(tuple),
    counts,
    counts,
    counts,
    counts,
    st.lists(counts, max_size=5).map(tuple),
    st.integers(0, 7),
    upper_logprobs=st.just(()),  # only servers give these two
    text=st.none(),
)


@given(st.lists(scores, max_size=6), st.slices(6))
def test_as_a_list(given_scores: list[OptionScores], some: slice) -> None:
    held = ScoreList(given_scores)
    assert list(held) == given_scores
    assert held == given_scores
    assert given_scores == held
    assert held[some] == given_scores[some]
    assert held[-len(held) :] == given_scores
    assert len(held) == len(given_scores)
    assert repr(held) == repr(given_scores)


def test_what_comes_out_is_what_went_in() -> None:
    held = ScoreList([OptionScores((-1.5, -math.inf), 7, 3, 1, 20)])
    held.append(OptionScores((-2.0,), 1, 1))
    assert held[0] == OptionScores((-1.5, -math.inf), 7, 3, truncated=1, asked_tokens=20)
    assert held[-1] == OptionScores((-2.0,), 1, 1)
    assert held != [held[0]]
    assert held != "scores"
    for beyond in (2, -3):
        with pytest.raises(IndexError):
            held[beyond]


def test_a_prompt_takes_a_few_bytes() -> None:
    held = ScoreList(OptionScores((-1.0, -2.0, -3.0, -4.0), n, n, 0, n) for n in range(1000))
    arrays = list(vars(held).values())
    assert sum(map(sys.getsizeof, arrays)) < 1000 * 90
