"""The folder of a training: a finished one is read, another one is refused, and only one process trains into it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from phraseproof.alignment.prepared_training import is_finished
from phraseproof.errors import RunError
from phraseproof.store.locks import ProcessLock
from phraseproof.training.folder import LOCK_FILE
from support import tiny_models
from support.tiny_pairs import shared_wordings
from support.tiny_trainings import Watcher, train


def test_a_finished_training_is_not_done_again(tmp_path: Path) -> None:
    assert not is_finished(tmp_path / "a")
    first = train(tiny_models.tiny_t5(), tmp_path / "a")
    assert is_finished(tmp_path / "a")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "a").iterdir()}
    watcher = Watcher()
    assert train(tiny_models.tiny_t5(), tmp_path / "a", observer=watcher) == first
    assert watcher.starts == []
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "a").iterdir()} == before


def test_a_folder_with_another_training_is_left_alone(tmp_path: Path) -> None:
    train(tiny_models.tiny_t5(), tmp_path / "a", max_steps=1)
    with pytest.raises(RunError, match=r"other settings: seed .expected 0, got 1."):
        train(tiny_models.tiny_t5(), tmp_path / "a", max_steps=1, seed=1)
    with pytest.raises(RunError, match="other pairs: content"):
        train(tiny_models.tiny_t5(), tmp_path / "a", max_steps=1, pairs=shared_wordings(7))
    with pytest.raises(RunError, match="another base model"):
        train(tiny_models.tiny_llama(), tmp_path / "a", max_steps=1)
    (tmp_path / "a" / "phraseproof.json").unlink()
    with pytest.raises(RunError, match="phraseproof did not train"):
        train(tiny_models.tiny_t5(), tmp_path / "a", max_steps=1)


def test_two_trainings_do_not_share_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    lock = ProcessLock(tmp_path / "a" / LOCK_FILE)
    assert lock.try_acquire()
    with pytest.raises(RunError, match=f"another process is training into this folder: process {os.getpid()} on"):
        train(tiny_models.tiny_t5(), tmp_path / "a")
    lock.release(remove=True)
    train(tiny_models.tiny_t5(), tmp_path / "a", pairs=shared_wordings(8), max_steps=1)
    assert not (tmp_path / "a" / LOCK_FILE).exists()
