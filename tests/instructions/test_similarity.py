"""ROUGE-2 against the package rouge-score, and pairs against one comparison at a time."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.instructions.similarity import WordPairIndex, rouge2, similar_pairs, words

rouge_scorer = pytest.importorskip("rouge_score.rouge_scorer")

WORDS = st.lists(st.sampled_from(["the", "cat", "sat", "on", "a", "mat", "Cat,", "THE", "it's", "7"]), max_size=9)
TEXTS = WORDS.map(" ".join)


@given(TEXTS, TEXTS)
def test_it_is_rouge_scores_number(text: str, other: str) -> None:
    if min(len(words(text)), len(words(other))) >= 2:
        theirs = rouge_scorer.RougeScorer(["rouge2"]).score(text, other)["rouge2"].fmeasure
        assert rouge2(text, other) == pytest.approx(theirs)


def test_by_hand() -> None:
    # the cat, cat sat, sat on / the cat, cat sat, sat down: two of three shared on either side.
    assert rouge2("The cat sat on", "the cat: sat down!") == pytest.approx(2 / 3)
    assert rouge2("choose", "Choose.") == 1
    assert rouge2("choose", "choose one") == 0
    assert rouge2("?", "?") == 0
    assert rouge2("выбери один ответ", "выбери один вариант") == pytest.approx(0.5)


@given(st.lists(TEXTS, max_size=7))
def test_pairs_are_those_that_share_something(texts: list[str]) -> None:
    found = {(pair.first, pair.second): pair.rouge2 for pair in similar_pairs(texts)}
    for one, other in combinations(range(len(texts)), 2):
        assert found.get((one, other), 0.0) == pytest.approx(rouge2(texts[one], texts[other]))
        assert rouge2(texts[one], texts[other]) == rouge2(texts[other], texts[one])
    assert all(0 < value <= 1 for value in found.values())


@given(TEXTS, st.lists(TEXTS, max_size=7))
def test_an_index_finds_all_that_share_something(text: str, others: list[str]) -> None:
    found = dict(WordPairIndex(others).similar_to(text))
    for index, other in enumerate(others):
        assert found.get(index, 0.0) == pytest.approx(rouge2(text, other))
