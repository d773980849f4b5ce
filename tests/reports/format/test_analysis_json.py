"""An analysis as JSON."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, f1_score, log_loss

from phraseproof.reports.build.run_analysis import AnalysisOptions, analyze
from phraseproof.reports.format import analysis_json
from phraseproof.scoring.texts.pair_statistics import PairStatistics
from phraseproof.store.queries import load_run
from support.choice_runs import write_choice_run
from support.ensemble_runs import right_options, skilled, write_ensemble_run
from support.pair_runs import write_pair_run
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


def test_every_group_has_the_quality_of_its_answers(tmp_path: Path) -> None:
    values, right = skilled(0), right_options(60)
    found = analyze(load_run(write_ensemble_run(tmp_path / "r", {"t": values})), AnalysisOptions(resamples=50))
    (analysis,) = json.loads(analysis_json.render(found))["analyses"]
    assert analysis["quality_why_not"] is None
    quality = analysis["tasks"][0]["groups"]["a"]["quality"]
    chosen = values[:3].argmax(axis=2)
    expected = {
        "brier": [brier_score_loss(right, np.exp(each)) for each in values[:3]],
        "log_loss": [log_loss(right, np.exp(each)) for each in values[:3]],
        "macro_f1": [f1_score(right, each, average="macro") for each in chosen],
    }
    for name, each in expected.items():
        assert quality[name]["estimate"] == pytest.approx(np.mean(each))
        assert quality[name]["std"] == pytest.approx(np.std(each, ddof=1))
        assert quality[name]["low"] < quality[name]["estimate"] < quality[name]["high"]
    pairs = [(chosen[a] == chosen[b]).mean() for a, b in ((0, 1), (0, 2), (1, 2))]
    assert quality["consistency"]["estimate"] == pytest.approx(np.mean(pairs))
    assert quality["consistency"]["std"] is None
    assert analysis["overall"]["groups"]["a"]["quality"]["brier"]["estimate"] == quality["brier"]["estimate"]


def test_the_position_bias_of_a_judge_is_there(tmp_path: Path) -> None:
    won, first, lost = (PairStatistics.of_results(*each) for each in ((1, 1), (1, 0), (0, 0)))
    run = write_pair_run(tmp_path, [won, first] * 8, [lost, first] * 8, [first, won] * 8)
    (analysis,) = json.loads(analysis_json.render(analyze(run, AnalysisOptions(resamples=50))))["analyses"]
    bias = analysis["position_bias"]
    assert (bias["asked"], bias["lacking"], bias["disagreement"]["estimate"]) == (48, 0, 0.5)
    assert (bias["first_place"]["n"], bias["first_place"]["estimate"]) == (96, 0.75)
    assert bias["first_place"]["low"] < 0.75 < bias["first_place"]["high"]
    assert any("the text shown first wins 75.0%" in note for note in analysis["notes"])


def test_a_run_without_log_probabilities_says_why_quality_is_missing(tmp_path: Path) -> None:
    run = load_run(write_choice_run(tmp_path / "r", {"t": np.ones((4, 20))}))
    for cell in run.content["cells"]:
        cell["scoring"] = "generate"
    (analysis,) = json.loads(analysis_json.render(analyze(run, AnalysisOptions(resamples=50))))["analyses"]
    assert "no log-probabilities" in analysis["quality_why_not"]
    assert set(analysis["overall"]["groups"].popitem()[1]["quality"]) <= {"consistency"}
