"""Reading a search: its numbers, its runs, and files that are not what they should be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from phraseproof.errors import RunError
from phraseproof.reports.build.searches import SEARCH_FILE, read_search, search_of
from phraseproof.reports.build.sources import open_sources
from support.method_searches import LABEL
from support.stored_searches import write_search


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_search(tmp_path_factory.mktemp("search") / "search")


def test_numbers_are_found_by_set_task_and_statistic(folder: Path) -> None:
    found = read_search(folder).found
    assert found.reported == ("test", "unseen")
    assert found.tasks("test") == ("t1", "t2")
    assert found.chosen.label == LABEL
    stored = json.loads((folder / SEARCH_FILE).read_text())
    for task in ("", "t2"):
        row = found.row("test", task, f"gain: {LABEL}")
        (expected,) = (
            each
            for each in stored["rows"]
            if (each["group"], each["task"], each["statistic"]) == ("test", task, f"gain: {LABEL}")
        )
        assert row is not None
        assert (row.estimate, row.low, row.high) == (expected["estimate"], expected["low"], expected["high"])
    assert found.row("test", "", "gain: nothing") is None


def test_a_folder_with_a_search_is_a_source(folder: Path) -> None:
    found = open_sources([folder])
    assert (len(found.runs), len(found.trainings), len(found.searches)) == (0, 0, 1)


def test_runs_are_found_after_the_folder_was_moved(folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    for way, number in (("as it is", 1), (LABEL, 2)):
        paths = read_search(moved).runs("test")[way]
        assert len(paths) == number
        assert all(path.is_relative_to(moved) for path in paths)
    shutil.rmtree(moved / "test")
    assert read_search(moved).runs("test")[LABEL] == ()


def test_a_run_knows_its_search(folder: Path, tmp_path: Path) -> None:
    assert search_of(folder / "test" / "base") == folder.resolve()
    assert search_of(tmp_path) is None


@pytest.mark.parametrize("content", ["{", "[]", '{"format_version": 1}', '{"format_version": 2}'])
def test_a_damaged_file_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / SEARCH_FILE).write_text(content)
    with pytest.raises(RunError, match="result of the search"):
        read_search(tmp_path)
