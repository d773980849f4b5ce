"""Losses as lines; what a training that diverged logged is left out."""

from __future__ import annotations

import json
import math

from phraseproof.reports.charts.training import training


def test_losses_that_are_no_numbers_are_not_drawn() -> None:
    steps = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": math.nan}, {"step": 3, "loss": math.inf}]
    chart = training(steps)
    assert chart is not None
    assert [row["step"] for row in chart.data["losses"]] == [1]
    json.dumps(chart.data["losses"], allow_nan=False)
    assert training(steps[1:]) is None
