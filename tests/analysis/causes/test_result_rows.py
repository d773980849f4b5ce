"""Rows of causes: values of the finding, in percent."""

from __future__ import annotations

import numpy as np
import pytest

from phraseproof.analysis.causes.result_rows import cause_notes, cause_rows
from phraseproof.analysis.causes.sentence import cause_sentence
from phraseproof.analysis.causes.spread import spread_causes
from phraseproof.analysis.result_rows import RowSource
from phraseproof.analysis.results import ResultTable
from phraseproof.core import Finding
from phraseproof.scoring.accuracy import METRIC
from support.known_causes import known_values

SOURCE = RowSource("runs/a", 0, "loglikelihood", METRIC)


def in_percent(share: Finding) -> tuple[float, float]:
    assert share.low is not None
    assert share.high is not None
    return 100 * share.low, 100 * share.high


def test_rows_have_the_shares_of_the_task_and_the_effects_of_every_wording() -> None:
    rng = np.random.default_rng(0)
    found = spread_causes(
        known_values(2 * rng.normal(size=(5, 3)), np.full(5, 1.0), examples=200, labels=(0.8, 0.1, 0.1)), resamples=50
    )
    table = ResultTable(tuple(cause_rows(found, SOURCE)))
    shares = {row.statistic: row for row in table.select(level="task")}
    for name, share in found.shares.items():
        assert shares[f"{name} share"].estimate == pytest.approx(100 * share.estimate)
        assert (shares[f"{name} share"].low, shares[f"{name} share"].high) == in_percent(share)
        other = shares[f"{name} share, other wordings"]
        assert (other.low, other.high) == in_percent(found.other_wordings[name])
    assert shares["spread"].p_value == found.p_value
    assert shares["wordings with skill"].estimate == found.skilled
    for place, wording in enumerate(found.wordings):
        (without,) = table.select(wording=wording, statistic="accuracy without prior")
        assert (without.estimate, without.p_value) == (100 * found.without_prior[place], found.skill_p[place])
        (effect,) = table.select(wording=wording, statistic="prior effect")
        assert (effect.estimate, effect.unit) == (100 * found.effects[0, place], "points")
    assert found.is_beyond_chance
    assert len(list(cause_rows(found, SOURCE, by_wording=False))) == len(shares)
    assert cause_notes(found) == (f"t: {cause_sentence(found)}",)


def test_a_spread_that_chance_explains_has_no_shares() -> None:
    found = spread_causes(known_values(np.zeros((4, 2)), np.zeros(4), examples=20, seed=3), resamples=20)
    assert not found.is_beyond_chance
    assert not [row for row in cause_rows(found, SOURCE) if "share" in row.statistic]
