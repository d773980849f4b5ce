from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.test_label_agreement import write
from phraseproof.analysis.estimators.clustered_share import clustered_share
from phraseproof.analysis.position_bias import position_bias
from phraseproof.scoring.texts.pair_statistics import EQUAL_TEXTS, NO_OTHER_TEXT, UNREADABLE, PairStatistics
from support.pair_runs import write_pair_run

WON, LOST = PairStatistics.of_results(1, 1), PairStatistics.of_results(0, 0)
FIRST, SECOND = PairStatistics.of_results(1, 0), PairStatistics.of_results(0, 1)
TIE, HALF = PairStatistics.of_results(0.5, 0.5), PairStatistics.of_results(0.5, 0)


def test_shares_by_hand(tmp_path: Path) -> None:
    one = [WON, FIRST, FIRST, TIE, HALF, EQUAL_TEXTS]
    two = [LOST, FIRST, SECOND, FIRST, UNREADABLE, NO_OTHER_TEXT]
    found = position_bias(write_pair_run(tmp_path, one, two))
    assert found is not None
    assert (found.texts, found.asked, found.equal, found.unreadable, found.lacking) == (12, 9, 1, 1, 1)
    assert found.disagreement is not None
    assert found.first_place is not None
    # Different results: five pairs with the same place twice, and the one with a tie in one order.
    assert found.disagreement.estimate == pytest.approx(6 / 9)
    # Choices: 2 a pair, none of a tie, 1 of a half one. The first place wins once of WON and LOST, twice of FIRST,
    # never of SECOND; of HALF, where the text loses in the second place, the first place wins.
    assert (found.first_place.n, found.first_place.estimate) == (15, pytest.approx((1 + 2 + 2 + 1 + 1 + 2 + 2) / 15))
    same = clustered_share("x", np.array([2, 4, 2, 2, 1.0]), np.array([4, 4, 4, 2, 1.0]))
    assert (found.first_place.low, found.first_place.high) == (same.low, same.high)
    assert found.preferred_place is None


@pytest.mark.parametrize(("pair", "share", "place"), [(FIRST, 1.0, 1), (SECOND, 0.0, 2), (WON, 0.5, None)])
def test_a_judge_that_always_prefers_a_place(
    tmp_path: Path, pair: PairStatistics, share: float, place: int | None
) -> None:
    found = position_bias(write_pair_run(tmp_path, [pair] * 20))
    assert found is not None
    assert found.first_place is not None
    assert found.disagreement is not None
    assert found.first_place.estimate == share
    assert found.disagreement.estimate == (0 if pair is WON else 1)
    assert found.preferred_place == place


def test_without_choices_and_without_pairs(tmp_path: Path) -> None:
    ties = position_bias(write_pair_run(tmp_path / "ties", [TIE] * 3))
    assert ties is not None
    assert ties.disagreement is not None
    assert (ties.disagreement.estimate, ties.first_place) == (0, None)
    equal = position_bias(write_pair_run(tmp_path / "equal", [EQUAL_TEXTS] * 3))
    assert equal is not None
    assert (equal.asked, equal.disagreement, equal.preferred_place) == (0, None, None)
    assert position_bias(write(tmp_path / "grades")) is None
