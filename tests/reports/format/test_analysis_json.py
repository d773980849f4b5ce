"""An analysis as JSON."""

import json
from pathlib import Path

from phraseproof.reports.build.run_analysis import AnalysisOptions, analyze
from phraseproof.reports.format import analysis_json
from phraseproof.store.queries import load_run
from support.report_runs import write_run


def test_public_keys_are_there(tmp_path: Path) -> None:
    found = analyze(load_run(write_run(tmp_path / "a")), AnalysisOptions(resamples=50))
    document = json.loads(analysis_json.render(found))
    (analysis,) = document["analyses"]
    assert (document["format_version"], document["scaling"]) == (1, None)
    assert {"tests", "verdicts", "variances", "mixed_effects", "against", "notes"} <= set(analysis)
    mean = analysis["overall"]["groups"]["observed"]["statistics"]["mean"]
    assert mean["low"] < mean["estimate"] < mean["high"]
    assert "q05" in analysis["overall"]["groups"]["observed"]["statistics"]
