"""The section on the quality of answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, f1_score, log_loss

from phraseproof.analysis.grids import load_grids
from phraseproof.analysis.statistics import robustness
from phraseproof.reports.build.quality import RunQuality, run_quality
from phraseproof.reports.build.sources import open_sources
from phraseproof.reports.html.quality import quality_table
from phraseproof.reports.html.report import render_report
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.store.queries import load_run
from support.ensemble_runs import right_options, skilled, write_ensemble_run


def test_every_measure_is_shown_with_std_and_interval(tmp_path: Path) -> None:
    values, right = skilled(0), right_options(60)
    run = load_run(write_ensemble_run(tmp_path / "run", {"t": values}))
    (found,) = robustness(load_grids(run), resamples=50)
    table = quality_table(run_quality(run)[0], found, ACCURACY)
    assert table is not None
    chosen = values[:3].argmax(axis=2)
    expected = {
        "accuracy (%)": [100 * (each == right).mean() for each in chosen],
        "balanced accuracy (%)": [100 * balanced_accuracy_score(right, each) for each in chosen],
        "macro-F1 (%)": [100 * f1_score(right, each, average="macro") for each in chosen],
        "Brier score": [brier_score_loss(right, np.exp(each)) for each in values[:3]],
        "log loss (nats)": [log_loss(right, np.exp(each)) for each in values[:3]],
    }
    row = table.rows[0]
    assert (row.name, row.group) == ("t", "a")
    cells = dict(zip(table.headings, row.cells, strict=True))
    for name, each in expected.items():
        digits = 1 if "%" in name else 2
        assert cells[name].text == f"{np.mean(each):.{digits}f} ± {np.std(each, ddof=1):.{digits}f}"
        low, high = map(float, cells[name].interval.split(" to "))
        assert low < np.mean(each) < high
    pairs = [(chosen[a] == chosen[b]).mean() for a, b in ((0, 1), (0, 2), (1, 2))]
    assert cells["consistency (%)"].text == f"{100 * np.mean(pairs):.1f}"
    page = render_report(open_sources([run.path]))
    assert "Quality of the answers" in page
    assert cells["Brier score"].text in page


def test_a_sample_of_the_examples_is_noted_next_to_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phraseproof.reports.build.quality.MOST_VALUES", 100)
    run = write_ensemble_run(tmp_path / "run", {"t": skilled(0)})
    section = render_report(open_sources([run])).partition("Quality of the answers</h2>")[2].partition("</section>")[0]
    assert "calibration error on t: from" in section
    assert "of its 60 examples, drawn at random" in section


def test_without_measures_there_is_no_table(tmp_path: Path) -> None:
    run = load_run(write_ensemble_run(tmp_path / "run", {"t": skilled(0)}))
    (found,) = robustness(load_grids(run), resamples=50)
    assert quality_table(RunQuality(reason="no log-probabilities"), found, ACCURACY) is None
