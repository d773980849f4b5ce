"""What is shown of a choice: rows and sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from phraseproof.analysis.selection.stored import choose_stored
from phraseproof.reports.build.choice import choice_reports, choice_results, sentences
from phraseproof.store.queries import load_run
from support.choice_runs import write_choice_run


def _choice(path: Path, scores: np.ndarray, **options):
    run = load_run(write_choice_run(path, {"t": scores}, **options))
    found = choose_stored([run])
    return choice_reports([run], found), found[0]


def test_rows_hold_the_choice_in_percent(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    scores = (draw.random((6, 80)) < np.array([0.9, 0.5, 0.5, 0.5, 0.4, 0.3])[:, None]).astype(float)
    reports, choice = _choice(tmp_path / "r", scores)
    table = choice_results(reports)
    found = choice.found
    (corrected,) = table.select(statistic="corrected")
    assert corrected.wording == "ours/0"
    assert corrected.estimate == pytest.approx(100 * found.corrected)
    assert (corrected.low, corrected.high) == pytest.approx((100 * found.low[found.best], 100 * found.high[found.best]))
    (bound,) = table.select(level="task", statistic="at least")
    assert bound.estimate == pytest.approx(100 * found.at_least[found.best])
    (spread,) = table.select(statistic="range")
    assert spread.estimate == pytest.approx(100 * np.ptp(scores.mean(axis=1)))
    assert spread.p_value == found.p_equal
    observed = table.select(level="wording", statistic="observed")
    assert [row.estimate for row in observed] == sorted((100 * scores.mean(axis=1)).tolist(), reverse=True)
    assert "Every other wording of the 6 is worse" in table.notes[1]


def test_wordings_that_are_equal_are_said_to_be(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    scores = (draw.random((5, 60)) < 0.5).astype(float)
    _, choice = _choice(tmp_path / "r", scores, tokens=(50, 40, 30, 20, 60))
    _, meaning = sentences(choice)
    assert meaning.startswith("No wording is shown to be better than another (5 wordings, test that all are equal: p =")
    assert meaning.endswith("for instance ours/3 (20 tokens per prompt), the shortest.")


def test_some_wordings_are_as_good_and_the_shortest_of_them_is_named(tmp_path: Path) -> None:
    draw = np.random.default_rng(2)
    best = (draw.random(200) < 0.8).astype(float)
    near = best.copy()
    near[0] = 0.0
    scores = np.stack([best, near, (draw.random(200) < 0.3).astype(float)])
    _, choice = _choice(tmp_path / "r", scores, tokens=(50, 20, 10))
    _, meaning = sentences(choice)
    assert meaning.startswith("2 of 3 wordings are not distinguishable from the best; the other 1 ")
    assert "The shortest of the 2 is ours/1 (20 tokens per prompt): at least" in meaning
