"""An analysis before any format."""

from pathlib import Path

import pytest

from phraseproof.errors import UsageError
from phraseproof.reports.build.run_analysis import LABELS, AnalysisOptions, NotEstimable, analyze
from phraseproof.store.queries import load_run
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
