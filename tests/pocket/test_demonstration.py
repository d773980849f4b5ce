"""The steps of the demo: both groups of wordings are measured, and the conclusion has the numbers of the two runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from phraseproof.alignment.trainer import train
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.pocket import demonstration
from phraseproof.pocket.demonstration import OBSERVED, UNOBSERVED, conclude, measure, reduce_sensitivity
from phraseproof.pocket.figures import OVERALL
from phraseproof.pocket.mitigation import SETTINGS, mitigation_pairs
from phraseproof.store.queries import Run
from phraseproof.training.log import SilentTrainingObserver

pytestmark = pytest.mark.slow


class Recorder(SilentObserver):
    """Counts scored prompts and keeps warnings."""

    def __init__(self) -> None:
        self.scored = 0
        self.warnings: list[str] = []

    def advanced(self, prompts: int) -> None:
        self.scored += prompts

    def warned(self, message: str) -> None:
        self.warnings.append(message)


class Measured(NamedTuple):
    folder: Path
    base: Run
    aligned: Run
    warnings: list[str]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """The shipped model, and with an adapter after one step: enough to change answers."""
    folder = tmp_path_factory.mktemp("demonstration")
    seen = Recorder()
    base = measure(folder / "base", limit=1, adapter=None, observer=seen)
    train("pocket", mitigation_pairs(), folder / "adapter", replace(SETTINGS, max_steps=1, seed=5))
    aligned = measure(folder / "aligned", limit=1, adapter=folder / "adapter", observer=seen)
    return Measured(folder, base, aligned, seen.warnings)


def percent(run: Run, group: str) -> float:
    """Mean accuracy in percent: kinds have as many tasks and wordings, so the plain mean is the mean over kinds."""
    (row,) = run.query(f"""SELECT 100 * avg(score) AS mean FROM outcomes WHERE "group" = '{group}'""").to_pylist()
    return row["mean"]


def test_every_task_is_measured_under_both_groups_of_wordings(measured: Measured) -> None:
    rows = measured.base.query(
        """SELECT "group", count(DISTINCT task) AS tasks, count(*) AS outcomes FROM outcomes GROUP BY ALL"""
    ).to_pylist()
    found = {row["group"]: (row["tasks"], row["outcomes"]) for row in rows}
    assert found == {OBSERVED: (24, 24 * 12), UNOBSERVED: (24, 24 * 16)}


def test_nobody_is_warned_that_alignment_has_seen_the_observed_wordings(measured: Measured) -> None:
    assert not measured.warnings


def test_the_conclusion_has_the_means_of_the_runs_and_the_gain_between_them(measured: Measured) -> None:
    shown = conclude(measured.base, measured.aligned)
    for figure, run in ((shown.base, measured.base), (shown.aligned, measured.aligned)):
        assert figure.kind == OVERALL
        assert figure.first.percent == pytest.approx(percent(run, OBSERVED))
        assert figure.second.percent == pytest.approx(percent(run, UNOBSERVED))
        assert figure.difference.percent == pytest.approx(percent(run, OBSERVED) - percent(run, UNOBSERVED))
    moved = percent(measured.aligned, UNOBSERVED) - percent(measured.base, UNOBSERVED)
    assert moved != 0
    assert 100 * shown.gain.estimate == pytest.approx(moved)


def test_what_is_there_is_not_computed_again(measured: Measured) -> None:
    seen = Recorder()
    again = measure(measured.folder / "base", limit=1, adapter=None, observer=seen)
    assert seen.scored == 0
    assert percent(again, UNOBSERVED) == percent(measured.base, UNOBSERVED)


def test_a_finished_adapter_is_not_trained_again(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demonstration, "SETTINGS", replace(SETTINGS, max_steps=1))
    finished = measured.folder / "adapter"
    weights = (finished / "adapter_model.safetensors").stat().st_mtime_ns
    steps: list[int] = []

    class Steps(SilentTrainingObserver):
        def stepped(self, report: object) -> None:
            steps.append(1)

    assert reduce_sensitivity(finished, seed=5, observer=Steps()) == 12 * 18
    assert not steps
    assert (finished / "adapter_model.safetensors").stat().st_mtime_ns == weights
