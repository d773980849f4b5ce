"""What a page is made from."""

import json
from pathlib import Path

import pytest

from phraseproof.errors import RunError
from phraseproof.reports.build.sources import open_sources, read_training
from support.report_runs import write_run


def test_runs_and_trainings_are_recognised_by_their_files(tmp_path: Path) -> None:
    run, training = write_run(tmp_path / "run"), tmp_path / "adapter"
    training.mkdir()
    (training / "training.jsonl").write_text(
        json.dumps({"step": 1, "loss": 2.0}) + '\n{"step": 2, "lo', encoding="utf-8"
    )
    found = open_sources([run, training])
    assert [each.path for each in found.runs] == [run]
    assert [each.steps for each in found.trainings] == [({"step": 1, "loss": 2.0},)]


def test_a_folder_without_a_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no training was logged"):
        read_training(tmp_path)


def test_a_scoring_that_a_run_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="'paper'"):
        open_sources([write_run(tmp_path / "run")], scoring="paper")
