"""An analysis before any format."""

from pathlib import Path

import pytest

from phraseproof.errors import UsageError
from phraseproof.reports.build.run_analysis import LABELS, AnalysisOptions, NotEstimable, analyze
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format import analysis_text
from phraseproof.store.queries import load_run
from support.other_metrics import LETTERS
from support.report_runs import write_run


def test_every_part_is_there(tmp_path: Path) -> None:
    run = load_run(write_run(tmp_path / "a"))
    (found,) = analyze(run, AnalysisOptions(resamples=50, against="observed/w0"))
    assert [row.name for row in found.rows] == ["kb/colours", "kb/shapes", "tone/polite", "KB", "Tone", "Overall"]
    assert set(found.rows[-1].groups["observed"].findings) <= set(LABELS)
    assert [test.group for test in found.tests] == ["unobserved"]
    assert not any(isinstance(each.tests, NotEstimable) for each in found.against)
    assert found.control_results == ()


def test_an_unknown_wording_is_refused(tmp_path: Path) -> None:
    run = load_run(write_run(tmp_path / "a"))
    with pytest.raises(UsageError, match="no task has the wording 'nowhere/w9'"):
        analyze(run, AnalysisOptions(against="nowhere/w9"))


def test_the_difference_that_sizes_detect_is_the_metric_s_margin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = load_run(write_run(tmp_path / "a"))
    (found,) = analyze(run, AnalysisOptions(resamples=50))
    (given,) = analyze(run, AnalysisOptions(resamples=50, difference=2.0))
    assert found.difference == given.difference == 0.02
    assert [each.sizes for each in found.variances] == [each.sizes for each in given.variances]
    assert any(each.sizes for each in found.variances)

    monkeypatch.setitem(analyze.__globals__, "metric_of", lambda _: LETTERS)
    (unknown,) = analyze(run, AnalysisOptions(resamples=50))
    assert unknown.difference is None
    assert not any(each.sizes for each in unknown.variances)
    assert "the metric 'length' has no margin; give a difference with --difference" in " ".join(
        analysis_text.render([unknown], Screen(width=200)).split()
    )
    (one,) = analyze(run, AnalysisOptions(resamples=50, difference=1.0))
    assert one.difference == 1.0
