"""The share of a device: all that is resolved, in a form that another process can receive."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.evaluation.device_share import DeviceShare
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.evaluation.request import EvaluationRequest
from phraseproof.evaluation.resolve import resolve
from phraseproof.evaluation.run import Evaluation
from phraseproof.models import ModelOptions
from phraseproof.store.queries import load_run
from support.parity_project import write_project


@pytest.fixture
def evaluation(tmp_path: Path) -> Evaluation:
    project = write_project(tmp_path, examples=4, wordings=3)
    wordings = {"mine": project / "wordings.yaml"}
    found = resolve(EvaluationRequest.of("scripted", project / "task.yaml", wordings, limit=2, budget="50%"))
    for path in (each for each in project.iterdir() if each.is_file()):
        path.unlink()
    return found


def test_it_is_the_same_evaluation_after_pickling(evaluation: Evaluation) -> None:
    share = pickle.loads(pickle.dumps(DeviceShare.of(evaluation, "scripted", ModelOptions())))
    again = share.evaluation("cpu")
    assert again.settings == evaluation.settings
    assert [each.cell for each in again.planned] == [each.cell for each in evaluation.planned]
    assert again.run_settings == evaluation.run_settings
    for mine, other in zip(again.planned, evaluation.planned, strict=True):
        assert again.prompts(mine) == evaluation.prompts(other)


def test_it_computes_what_the_folder_lacks(evaluation: Evaluation, tmp_path: Path) -> None:
    class Elsewhere:
        """Computes in this process, and counts."""

        names = ("cpu",)
        elsewhere = ""
        calls = 0

        def work(self, out: Path, observer: object, *, self_test: bool) -> None:
            del observer
            self.calls += 1
            DeviceShare.of(evaluation, "scripted", ModelOptions()).compute("cpu", out, SilentObserver(), self_test)

    workers = Elsewhere()
    replace(evaluation, workers=workers).run(tmp_path / "run")
    assert workers.calls == 1
    assert load_run(tmp_path / "run").missing == ()
