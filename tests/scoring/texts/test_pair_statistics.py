from __future__ import annotations

import pytest

from phraseproof.scoring.texts.pair_statistics import EQUAL_TEXTS, NO_OTHER_TEXT, UNREADABLE, PairStatistics


@pytest.mark.parametrize(
    ("pair", "score", "is_read"),
    [
        (PairStatistics.of_results(1.0, 1.0), 1.0, 1.0),
        (PairStatistics.of_results(1.0, 0.0), 0.5, 1.0),
        (PairStatistics.of_results(0.5, 0.0), 0.25, 1.0),
        (EQUAL_TEXTS, 0.5, 1.0),
        (UNREADABLE, 0.0, 0.0),
        (NO_OTHER_TEXT, 0.0, 0.0),
    ],
)
def test_the_first_is_the_score_and_the_last_says_whether_it_counts(
    pair: PairStatistics, score: float, is_read: float
) -> None:
    assert (pair[0], pair[-1]) == (score, is_read)


def test_the_four_cases_are_told_apart() -> None:
    cases = [PairStatistics.of_results(0.5, 0.5), EQUAL_TEXTS, UNREADABLE, NO_OTHER_TEXT]
    assert [(each.is_asked, each.is_read) for each in cases] == [(1, 1), (0, 1), (1, 0), (0, 0)]
