"""Fleiss' kappa on Fleiss' own example, and where it is not defined."""

from __future__ import annotations

import pytest

from phraseproof.alignment.loop.agreement import fleiss_agreement

COUNTS = [
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
]  # fmt: skip
"""The ratings of ten items by 14 raters that the literature gives, with kappa 0.210."""


def test_the_known_example() -> None:
    choices = [[option for option, count in enumerate(row) for _ in range(count)] for row in COUNTS]
    assert fleiss_agreement(choices) == pytest.approx(0.210, abs=5e-4)


def test_agreement_is_1_and_one_answer_to_everything_is_none() -> None:
    assert fleiss_agreement([[0, 0, 0], [1, 1, 1]]) == pytest.approx(1)
    assert fleiss_agreement([[1, 1, 1], [1, 1, 1]]) is None
    assert fleiss_agreement([]) is None
    assert fleiss_agreement([[0], [1]]) is None


def test_pairs_with_another_number_of_wordings_are_left_out() -> None:
    assert fleiss_agreement([[0, 0, 0], [1, 1, 1], [0, 1]]) == pytest.approx(1)
