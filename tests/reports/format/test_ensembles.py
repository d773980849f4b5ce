"""Ensembles as text and JSON."""

from __future__ import annotations

import json

import pytest

from phraseproof.reports.build.ensembles import EnsembleReport, ensemble_reports, read_settings
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format.ensembles import render_json, render_text
from phraseproof.store.queries import load_run
from support.ensemble_runs import skilled, write_ensemble_run


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> EnsembleReport:
    run = write_ensemble_run(tmp_path_factory.mktemp("runs") / "r", {"t": skilled(0), "u": skilled(1)}, tokens=0)
    (found,) = ensemble_reports(load_run(run), read_settings("mean_logprob", "1,3,all", "batch"))
    return found


@pytest.mark.parametrize("width", [40, 80, 100])
def test_text_fits_the_screen_and_shows_every_number(report: EnsembleReport, width: int) -> None:
    text = render_text([report], Screen(width, color=False))
    assert max(map(len, text.splitlines())) <= width
    assert "mean log-probability" in " ".join(text.split())
    if width == 100:
        point = next(point for point in report.top.points if point.key == (3, "greedy", "batch"))
        assert point.accuracy.low is not None
        assert point.accuracy.high is not None
        shown = tuple(100 * value for value in (point.accuracy.estimate, point.accuracy.low, point.accuracy.high))
        assert f"greedy  {shown[0]:.1f} ({shown[1]:.1f} to {shown[2]:.1f})" in text
        assert "tokens" not in text
        assert "Each wording calibrated (batch)" in text


def test_tasks_are_shown_on_request(report: EnsembleReport) -> None:
    screen = Screen(100, color=False)
    assert "\nu: 6 wordings" not in render_text([report], screen)
    assert "\nu: 6 wordings" in render_text([report], screen, by_task=True)


def test_json_has_members_and_rows(report: EnsembleReport) -> None:
    document = json.loads(render_json([report]))
    (found,) = document["ensembles"]
    assert (found["how"], found["calibration"]) == ("mean_logprob", "batch")
    task = found["curves"][0]
    (greedy,) = [p for p in task["points"] if (p["size"], p["way"], p["calibration"]) == (3, "greedy", "none")]
    assert len(greedy["members"]) == 3
    assert greedy["accuracy"]["low"] < greedy["accuracy"]["estimate"] < greedy["accuracy"]["high"]
    assert greedy["tokens"] is None
    assert document["results"]["rows"]
