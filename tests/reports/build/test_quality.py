"""Measures of a run other than accuracy, as `analyze` returns them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, log_loss

import phraseproof
from phraseproof.analysis.causes.run import run_causes
from phraseproof.reports.build.quality import causes_and_quality, run_quality
from phraseproof.store.queries import load_run
from support.choice_runs import write_choice_run
from support.ensemble_runs import right_options, skilled, write_ensemble_run


def test_rows_are_means_and_stds_over_wordings(tmp_path: Path) -> None:
    values, right = skilled(0), right_options(60)
    table = phraseproof.analyze(write_ensemble_run(tmp_path / "r", {"t": values}), resamples=50)
    here = table.select(level="task", group="a")
    expected = {
        "brier": [brier_score_loss(right, np.exp(each)) for each in values[:3]],
        "log_loss": [log_loss(right, np.exp(each)) for each in values[:3]],
        "balanced_accuracy": [100 * balanced_accuracy_score(right, each.argmax(axis=1)) for each in values[:3]],
    }
    for name, each in expected.items():
        (mean,) = here.select(statistic=name)
        (std,) = here.select(statistic=f"{name} std")
        assert mean.estimate == pytest.approx(np.mean(each))
        assert std.estimate == pytest.approx(np.std(each, ddof=1))
        assert mean.low is not None
        assert mean.high is not None
        assert mean.low < mean.estimate < mean.high
    (agree,) = here.select(statistic="consistency")
    chosen = values[:3].argmax(axis=2)
    pairs = [(chosen[a] == chosen[b]).mean() for a, b in ((0, 1), (0, 2), (1, 2))]
    assert agree.estimate == pytest.approx(100 * np.mean(pairs))
    assert agree.low is not None
    assert agree.high is not None
    assert agree.low <= agree.estimate <= agree.high


def test_a_run_without_log_probabilities_says_why_measures_are_missing(tmp_path: Path) -> None:
    run = load_run(write_choice_run(tmp_path / "r", {"t": np.ones((4, 20))}))
    for cell in run.content["cells"]:
        cell["scoring"] = "generate"
    table = phraseproof.analyze(run, resamples=50)
    assert not table.select(statistic="brier")
    assert any("Brier score" in note and "no log-probabilities" in note for note in table.notes)


def test_reading_once_gives_what_causes_and_measures_give_by_themselves(tmp_path: Path) -> None:
    run = load_run(write_ensemble_run(tmp_path / "r", {"t": skilled(0), "u": skilled(1)}))
    causes, quality = causes_and_quality(run)
    for task, other in zip(causes.tasks, run_causes(run).tasks, strict=True):
        assert (task.task, task.shares, task.p_value) == (other.task, other.shares, other.p_value)
    (mine,), (other_rows,) = quality.values(), run_quality(run).values()
    findings = [[row.groups["a"].findings for row in each.rows] for each in (mine, other_rows)]
    assert findings[0] == findings[1]
    for cell in run.content["cells"]:
        cell["scoring"] = "generate"
    without = load_run(run.path)
    none = type(without)(without.path, run.content)
    causes, quality = causes_and_quality(none)
    assert causes == run_causes(none)
    assert "no log-probabilities" in causes.reason
    assert quality == run_quality(none)
