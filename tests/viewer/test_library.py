"""Runs are read once, and again when they change."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from phraseproof.errors import RunError
from phraseproof.viewer import library as module
from phraseproof.viewer.library import Library
from support.viewed_runs import write_options_run


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setattr(module, "_CHECKED_FOR_S", 0.0)
    monkeypatch.setattr(module, "_SHARE_OF_TIME", 0)
    return Library()


def test_a_run_is_indexed_once(tmp_path: Path, impatient: Library) -> None:
    run = write_options_run(tmp_path / "run")
    assert impatient.open(run) is impatient.open(run)


def test_a_run_that_changed_is_read_again(tmp_path: Path, impatient: Library) -> None:
    run = write_options_run(tmp_path / "run", unfinished=["w/c"])
    first = impatient.open(run)
    write_options_run(run)
    os.utime(run / "run.json", ns=(0, 0))
    second = impatient.open(run)
    assert (len(first.columns), len(second.columns)) == (2, 3)


def test_a_run_that_grows_is_read_at_most_a_tenth_of_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHECKED_FOR_S", 0.0)
    monkeypatch.setattr(module, "_SHARE_OF_TIME", 10**9)
    run = write_options_run(tmp_path / "run", unfinished=["w/c"])
    library = Library()
    first = library.open(run)
    write_options_run(run)
    os.utime(run / "run.json", ns=(0, 0))
    assert library.open(run) is first


def test_a_run_that_is_gone_is_one_line(tmp_path: Path, impatient: Library) -> None:
    run = write_options_run(tmp_path / "run")
    impatient.open(run)
    shutil.rmtree(run)
    with pytest.raises(RunError, match="the run is gone"):
        impatient.open(run)


def test_the_last_runs_stay_open(tmp_path: Path, impatient: Library) -> None:
    runs = [write_options_run(tmp_path / str(number)) for number in range(5)]
    opened = [impatient.open(run) for run in runs]
    assert impatient.open(runs[4]) is opened[4]
    assert impatient.open(runs[0]) is not opened[0]


def test_cleared(tmp_path: Path, impatient: Library) -> None:
    run = write_options_run(tmp_path / "run")
    first = impatient.open(run)
    impatient.clear()
    assert impatient.open(run) is not first


def test_an_unknown_scorer_is_refused(tmp_path: Path, impatient: Library) -> None:
    with pytest.raises(RunError, match="no outcomes of the scoring method 'other'"):
        impatient.open(write_options_run(tmp_path / "run"), "other")
