from __future__ import annotations

from pathlib import Path

from phraseproof.analysis.position_bias import position_bias
from phraseproof.reports.build.judged_pairs import pair_lines
from phraseproof.reports.build.readings import reading_lines
from phraseproof.scoring.texts.pair_statistics import EQUAL_TEXTS, NO_OTHER_TEXT, UNREADABLE, PairStatistics
from support.pair_runs import write_pair_run

FIRST, TIE = PairStatistics.of_results(1, 0), PairStatistics.of_results(0.5, 0.5)


def test_a_run_says_what_its_pairs_are(tmp_path: Path) -> None:
    run = write_pair_run(tmp_path, [*[FIRST] * 16, TIE, EQUAL_TEXTS, UNREADABLE, NO_OTHER_TEXT])
    lines = reading_lines(run)
    assert "judge:pairs@m: share of pairs that the text wins, where a tie counts half; 50% is no preference" in lines
    assert (
        "1 of 20 (5.0%) texts are compared with nothing, because the other run lacks their examples, and are in no mean"
        in lines
    )
    assert "1 of 20 (5.0%) pairs have an unreadable answer, and are in no mean" in lines
    assert "1 of 20 (5.0%) pairs are equal texts, a tie about which the judge is not asked" in lines
    (position,) = [line for line in lines if "orders" in line]
    assert position.startswith("the two orders have different results in 94.1% [")
    assert "] of 17 pairs; the text shown first wins 100.0% [" in position
    assert position.endswith(
        "100.0] of 32 choices, where 50% is no preference for a place: the judge prefers the first place"
    )
    # Ties and losses are in the mean, and neither what is unreadable nor what is compared with nothing.
    (row,) = run.wording_scores()
    assert row.mean_score == 0.5


def test_where_all_are_ties(tmp_path: Path) -> None:
    found = position_bias(write_pair_run(tmp_path, [TIE] * 4))
    assert found is not None
    assert pair_lines(found)[-1].endswith("] of 4 pairs; all answers are ties")
    only_equal = position_bias(write_pair_run(tmp_path / "equal", [EQUAL_TEXTS] * 4))
    assert only_equal is not None
    assert len(pair_lines(only_equal)) == 2
