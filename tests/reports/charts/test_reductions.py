"""The chart of what ways gain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from phraseproof.analysis.reductions.judging import judge
from phraseproof.analysis.reductions.ways import Access
from phraseproof.reports.charts.reductions import MOST_TASKS, drawn_ways, reductions
from support.option_grids import simulated

OF = simulated(np.random.default_rng(1), wordings=4, examples=30, options=3, skill=2.0, prior=1.5)


def test_a_mark_is_the_gain_of_a_way_in_points() -> None:
    task = judge(OF)
    chart = reductions([task], title="Gains")
    rows = chart.data["intervals"]
    assert [row["group"] for row in rows] == ["calibrated", "ensemble of all", "calibrated ensemble of all"]
    together = np.exp(OF.logprobs).mean(axis=0)  # the mean probability of all wordings
    right = OF.credits.argmax(axis=1)
    gain = (together.argmax(axis=1) == right).mean() - (OF.logprobs.argmax(axis=2) == right).mean()
    assert rows[1]["percentage_points"] == pytest.approx(100 * gain)
    assert rows[1]["low"] < rows[1]["percentage_points"] < rows[1]["high"]
    assert f"ensemble of all {100 * gain:+.1f} points" in chart.description


def test_ways_of_texts_are_drawn_where_there_are_no_others() -> None:
    assert [way.way.name for way in drawn_ways(judge(OF, access=Access.TEXT))] == ["majority of all"]


def test_many_tasks_are_cut() -> None:
    task = judge(OF)
    chart = reductions([replace(task, task=f"t{number}") for number in range(MOST_TASKS + 3)], title="Gains")
    assert len({row["row"] for row in chart.data["intervals"]}) == MOST_TASKS
