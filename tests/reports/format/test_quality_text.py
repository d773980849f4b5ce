"""Measures other than accuracy in the text of `analyze`."""

from __future__ import annotations

from pathlib import Path

from phraseproof.reports.build.run_analysis import AnalysisOptions, analyze
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format.analysis_text import render
from phraseproof.store.queries import load_run
from support.ensemble_runs import skilled, write_ensemble_run


def test_the_table_has_mean_std_and_interval_of_every_group(tmp_path: Path) -> None:
    run = load_run(write_ensemble_run(tmp_path / "r", {"t": skilled(0)}))
    (found,) = analyze(run, AnalysisOptions(resamples=50))
    text = render([found], Screen(100, color=False))
    group = found.quality.rows[0].groups["b"]
    brier = group.findings["brier"]
    assert brier.low is not None
    assert brier.high is not None
    expected = f"{brier.estimate:.3g} ± {group.stds['brier']:.3g} [{brier.low:.3g}, {brier.high:.3g}]"
    (line,) = [line for line in text.splitlines() if line.startswith("Brier score")]
    assert line.endswith(expected)
    assert "consistency" in text
