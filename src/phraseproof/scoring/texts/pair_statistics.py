"""What is stored of a text that a judge compared with another one, in both orders."""

from __future__ import annotations

from typing import NamedTuple


class PairStatistics(NamedTuple):
    """The statistics of one example, all of them numbers. The metric is the sum of `score` over that of `is_read`.

    Attributes:
        score: the mean of the two results.
        shown_first, shown_second: the result with the text in the first and in the second place: 1 where it wins, 0
            where the other text does, 0.5 of a tie.
        is_asked: 1 where the judge was asked. It is not asked about two equal texts, which are a tie, nor where there
            is no other text.
        is_read: 1 where the results are known; 0 where an answer is unreadable, or there is no other text.
    """

    score: float = 0.0
    shown_first: float = 0.0
    shown_second: float = 0.0
    is_asked: float = 0.0
    is_read: float = 0.0

    @classmethod
    def of_results(cls, shown_first: float, shown_second: float) -> PairStatistics:
        """Those of a pair that the judge compared."""
        return cls((shown_first + shown_second) / 2, shown_first, shown_second, 1.0, 1.0)


EQUAL_TEXTS = PairStatistics(0.5, 0.5, 0.5, is_asked=0.0, is_read=1.0)
UNREADABLE = PairStatistics(is_asked=1.0)
NO_OTHER_TEXT = PairStatistics()
