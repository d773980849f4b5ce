"""Rows of scorers: shares in percent, and the scorers that each row is about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.analysis.causes.run_scorers import run_scorers
from phraseproof.analysis.causes.scorer_rows import scorer_notes, scorer_rows
from phraseproof.analysis.causes.scorer_sentence import scorer_sentence
from phraseproof.analysis.results import ResultTable
from support.other_metrics import LETTERS
from support.scorer_grids import one_task


def test_rows_have_the_spread_the_shares_and_the_correlation(tmp_path: Path) -> None:
    compared = run_scorers(one_task(tmp_path / "run"))
    (found,) = compared.tasks
    table = ResultTable(tuple(scorer_rows(found, "runs/a")))
    (common,) = table.select(statistic="common share")
    assert (common.scoring, common.unit, common.run) == ("generate,loglikelihood", "%", "runs/a")
    assert (common.estimate, common.low) == pytest.approx((100 * found.common.estimate, 100 * (found.common.low or 0)))
    for place, scorer in enumerate(found.scorers):
        of_scorer = {row.statistic: row for row in table if row.scoring == scorer}
        assert of_scorer["share alone"].estimate == 100 * found.alone[place].estimate
        spread = of_scorer["spread, compared"]
        assert (spread.estimate, spread.p_value) == (100 * found.stds[place], found.p_values[place])
    (correlation,) = table.select(statistic="correlation of wordings")
    assert (correlation.estimate, correlation.unit) == (found.correlations["generate", "loglikelihood"].estimate, "")
    assert tuple(scorer_notes(compared)) == (f"t: {scorer_sentence(found)}",)


def test_without_a_spread_beyond_chance_there_are_no_shares_and_units_are_the_metrics(tmp_path: Path) -> None:
    (found,) = run_scorers(one_task(tmp_path / "run")).tasks
    rows = list(scorer_rows(replace(found, p_values=(0.5, 0.5), metric=LETTERS), "runs/a"))
    assert [row.statistic for row in rows] == ["spread, compared"] * 2
    assert [(row.estimate, row.unit) for row in rows] == [(std, "letters") for std in found.stds]
