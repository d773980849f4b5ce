"""What is said of a run folder without writing to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import RunError
from phraseproof.store.journal import StoredOutcome
from phraseproof.store.run_file import EvaluatedSample, read_run_file, sample_entry
from phraseproof.store.stored import is_empty, stored_answer_limit, stored_cells, stored_files, stored_samples
from phraseproof.store.writer import RunStore, Usage
from support.stored_cells import SETTINGS, finished_run, make_cell, make_outcomes


def test_looking_at_what_is_stored_writes_nothing(tmp_path: Path) -> None:
    done, other, missing = make_cell(), make_cell(group="again"), make_cell("b" * 32)
    finished_run(tmp_path, done)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert stored_cells(tmp_path, SETTINGS, [done, other, missing]) == {done, other}
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert stored_cells(tmp_path / "nowhere", SETTINGS, [done]) == set()
    with pytest.raises(RunError, match="a larger sample"):
        stored_cells(tmp_path, {**SETTINGS, "limit": 3}, [done])


def test_a_folder_is_empty_until_an_outcome_or_an_accuracy_is_stored(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "run", SETTINGS)
    store.register([make_cell()], {})
    store.record_failure(make_cell(), "ValueError: no", "Traceback ...")
    assert is_empty(store.path, read_run_file(store.path))
    store.append(make_cell(), [StoredOutcome(make_outcomes()[0], Usage())])
    assert not is_empty(store.path, read_run_file(store.path))
    imported = RunStore(tmp_path / "imported", SETTINGS)
    accuracy = {"task": "t", "category": "c", "group": "g", "instruction": "i", "num_fewshot": 0, "mean_score": 0.5}
    imported.register([], {"accuracies": {"a": {**accuracy, "num_examples": None}}})
    assert not is_empty(imported.path, read_run_file(imported.path))


def test_samples_are_those_of_all_evaluations_or_that_of_the_settings(tmp_path: Path) -> None:
    assert stored_samples(tmp_path) == []
    store = RunStore(tmp_path, {**SETTINGS, "limit": 3, "seed": 7})
    store.register([make_cell()], {})
    assert stored_samples(tmp_path) == [EvaluatedSample(3, 7)]
    samples = [EvaluatedSample(3, 7), EvaluatedSample(5, 7, "paper")]
    store.register([], {"samples": {name: entry for each in samples for name, entry in sample_entry(each).items()}})
    assert stored_samples(tmp_path) == store.samples == samples


def test_the_maximum_length_of_stored_answers(tmp_path: Path) -> None:
    assert stored_answer_limit(tmp_path / "nowhere") is None
    assert stored_answer_limit(finished_run(tmp_path / "options", make_cell()).path) is None
    store = RunStore(tmp_path / "texts", {**SETTINGS, "generation": {"max_new_tokens": 24}})
    store.register([make_cell()], {})
    assert stored_answer_limit(store.path) is None  # nothing is stored yet: other settings may replace these
    store.append(make_cell(), [StoredOutcome(make_outcomes()[0], Usage())])
    assert stored_answer_limit(store.path) == 24


def test_files_are_checked_by_the_checksums_of_the_run(tmp_path: Path) -> None:
    path = finished_run(tmp_path, make_cell()).cell_path(make_cell())
    (rows,) = stored_files(tmp_path).stored("t", make_cell().identity)
    assert [row.outcome for row in rows.values()] == make_outcomes()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    assert list(stored_files(tmp_path).stored("t", make_cell().identity)) == []
    assert list(stored_files(tmp_path / "nowhere").stored("t", make_cell().identity)) == []
