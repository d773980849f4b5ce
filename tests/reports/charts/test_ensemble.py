"""The chart of accuracy against calls."""

from __future__ import annotations

from pathlib import Path

from phraseproof.reports.build.sources import open_sources
from phraseproof.reports.charts.plot import ChartKind, make_chart
from support.ensemble_runs import skilled, write_ensemble_run


def test_every_line_begins_at_one_call_and_ends_at_all_wordings(tmp_path: Path) -> None:
    run = write_ensemble_run(tmp_path / "r", {"t": skilled(0), "u": skilled(1)})
    chart = make_chart(open_sources([run]), ChartKind.ENSEMBLE, task="u")
    rows = chart.data["ensembles"]
    groups = dict.fromkeys(row["group"] for row in rows)
    assert list(groups) == ["any", "chosen", "any, calibrated", "chosen, calibrated"]
    for group in groups:
        calls = [row["calls"] for row in rows if row["group"] == group]
        assert calls == [1, 2, 3, 5, 6]
    assert all(row["low"] < row["accuracy_percent"] < row["high"] for row in rows)
    assert "u: accuracy" in chart.title
