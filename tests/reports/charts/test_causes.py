"""Bars of causes: their data are the shares, and bars of a task have one length in all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.analysis.causes.run import run_causes
from phraseproof.core import Finding
from phraseproof.reports.charts.causes import causes
from support.known_causes import two_tasks


def test_a_task_beyond_chance_has_a_bar_of_all_its_shares(tmp_path: Path) -> None:
    prior, equal = run_causes(two_tasks(tmp_path / "run")).tasks
    assert causes([equal]) is None
    negative = replace(prior, shares={**prior.shares, "skill": Finding("skill", -0.2, 5, "", -0.5, 0.1)})
    chart = causes([negative, equal])
    assert chart is not None
    rows = {row["cause"]: row for row in chart.data["shares"]}
    assert {row["task"] for row in rows.values()} == {"answers"}
    assert rows["prior"]["share_percent"] == pytest.approx(100 * prior.shares["prior"].estimate)
    assert (rows["skill"]["share_percent"], rows["skill"]["low_percent"], rows["skill"]["_length"]) == (-20, -50, 0)
    assert sum(row["_length"] for row in rows.values()) == pytest.approx(100)
    assert "how often" in chart.description
