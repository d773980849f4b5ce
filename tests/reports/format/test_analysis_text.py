"""An analysis for people."""

from pathlib import Path

from phraseproof.reports.build.run_analysis import AnalysisOptions, analyze
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format import analysis_text
from phraseproof.store.queries import load_run
from support.report_runs import write_run


def test_tasks_are_shown_on_request_and_text_fits_the_screen(tmp_path: Path) -> None:
    found = analyze(load_run(write_run(tmp_path / "a")), AnalysisOptions(resamples=50))
    short = analysis_text.render(found, Screen(width=70))
    long = analysis_text.render(found, Screen(width=70), by_task=True)
    assert "unobserved minus observed" in short
    assert "kb/colours" in long
    assert "kb/colours" not in short
    assert max(map(len, long.splitlines())) <= 70
