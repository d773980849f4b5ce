"""Texts that recur in every example are classes, in whichever order they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.core.classes import shared_options

LABELS = ("bug", "praise", "question")


@given(st.lists(st.permutations(LABELS), min_size=1, max_size=8))
def test_texts_in_any_order_are_classes_in_the_order_of_the_first(options: list[list[str]]) -> None:
    assert shared_options(options) == tuple(options[0])


@pytest.mark.parametrize(
    "options",
    [
        [],
        [()],
        [("yes",), ("yes",)],
        [LABELS, LABELS[:2]],
        [LABELS[:2], LABELS],
        [LABELS, ("bug", "praise", "other")],
        [("yes", "yes"), ("yes", "yes")],
        [("yes", "no"), ("yes", "yes")],
    ],
)
def test_other_texts_are_none(options: list[tuple[str, ...]]) -> None:
    assert shared_options(options) is None
