"""Ensembles of a run: what is computed from stored outcomes, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import phraseproof
from phraseproof.analysis.ensemble_points import ALL
from phraseproof.analysis.ensembles import combine
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.reports.build.ensembles import conclusion, ensemble_reports, ensemble_results, read_settings
from phraseproof.store.queries import load_run
from support.ensemble_runs import right_options, skilled, write_ensemble_run
from support.other_metrics import LETTERS


def test_rows_hold_accuracy_gains_and_cost(tmp_path: Path) -> None:
    values = skilled(0)
    run = load_run(write_ensemble_run(tmp_path / "r", {"t": values}))
    table = ensemble_results(ensemble_reports(run, read_settings("majority", "1,2,all", "batch")))
    everything = table.select(statistic="accuracy: all")
    expected = 100 * np.mean(combine(values, "majority").argmax(axis=1) == right_options(60))
    assert [row.estimate for row in everything] == [pytest.approx(expected)]
    assert [row.estimate for row in table.select(statistic="calls: all")] == [6]
    assert [row.estimate for row in table.select(statistic="tokens: all")] == [sum(range(10, 16))]
    single = 100 * (values.argmax(axis=2) == right_options(60)).mean()
    (gain,) = table.select(statistic="gain: all")
    assert gain.estimate == pytest.approx(expected - single)
    assert gain.unit == "points"
    assert len(table.select(statistic="accuracy: 2 greedy, batch")) == 1
    assert not table.select(statistic="gain over best: 1 best")
    assert table.rows == phraseproof.ensemble(run, how="majority", sizes=(1, 2, "all"), calibrate="batch").rows


def test_members_come_from_the_groups_and_tasks_that_are_named(tmp_path: Path) -> None:
    run = load_run(write_ensemble_run(tmp_path / "r", {"t": skilled(0), "u": skilled(1)}))
    settings = read_settings("mean_probability", "2,all", "none")
    (report,) = ensemble_reports(run, settings, groups=["b"], tasks=["u"])
    (curve,) = report.curves
    assert (curve.name, curve.wordings) == ("u", 3)
    assert {member for point in curve.points for member in point.members} <= {"ours/3", "ours/4", "ours/5"}
    (both,) = ensemble_reports(run, settings)
    assert [each.name for each in both.shown] == ["t", "u", "Overall"]
    for name in ("groups", "tasks"):
        with pytest.raises(UsageError, match="no such name"):
            ensemble_reports(run, settings, **{name: ["nothing"]})


def test_tasks_that_are_too_small_are_left_out_with_a_reason(tmp_path: Path) -> None:
    run = load_run(write_ensemble_run(tmp_path / "r", {"t": skilled(0), "u": skilled(1, examples=6)}))
    settings = read_settings("mean_probability", "all", "none")
    (report,) = ensemble_reports(run, settings)
    assert [curve.name for curve in report.shown] == ["t"]
    assert "u: choosing wordings on some examples" in report.notes[0]
    with pytest.raises(NotEnoughDataError, match="two wordings and ten examples"):
        ensemble_reports(run, settings, tasks=["u"])


def test_other_metrics_and_unknown_settings_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phraseproof.analysis.grids.metric", {"accuracy": LETTERS}.__getitem__)
    run = load_run(write_ensemble_run(tmp_path / "r", {"t": skilled(0)}))
    with pytest.raises(UsageError, match="judged by accuracy"):
        ensemble_reports(run, read_settings("majority", "all", "none"))
    for how, sizes, calibration in (("x", "1", "none"), ("majority", "0", "none"), ("majority", "1", "contextual")):
        with pytest.raises(UsageError):
            read_settings(how, sizes, calibration)


def test_the_conclusion_names_the_cheapest_ensemble_beyond_chance_or_none(tmp_path: Path) -> None:
    weak = load_run(write_ensemble_run(tmp_path / "weak", {"t": skilled(0, skill=0.0)}))
    settings = read_settings("mean_probability", "1,3,all", "none")
    assert "Nothing here is better" in conclusion(ensemble_reports(weak, settings)[0].top)
    strong = load_run(write_ensemble_run(tmp_path / "strong", {"t": skilled(0, 12, 300, skill=0.8)}))
    curve = ensemble_reports(strong, settings)[0].top
    sentence = conclusion(curve)
    assert "beyond chance than the best single wording" in sentence
    assert "call" in sentence
    point = next(point for point in curve.points if point.size == ALL)
    assert point.gain_over_best is not None
    assert point.gain_over_best.estimate > 0.05
