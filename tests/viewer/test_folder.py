"""Runs of a folder by name, and nothing outside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import RunError
from phraseproof.viewer.folder import ITSELF, ViewedFolder
from support.viewed_runs import write_options_run


def test_a_run_is_itself(tmp_path: Path) -> None:
    folder = ViewedFolder(write_options_run(tmp_path / "one"))
    assert folder.names() == (ITSELF,)
    assert folder.path(ITSELF) == tmp_path / "one"
    assert folder.shown_name(ITSELF) == "one"


def test_runs_below_a_folder_have_their_paths_as_names(tmp_path: Path) -> None:
    write_options_run(tmp_path / "runs" / "deep" / "b")
    write_options_run(tmp_path / "runs" / "a")
    folder = ViewedFolder(tmp_path / "runs")
    assert folder.names() == ("a", "deep/b")
    assert folder.path("deep/b") == tmp_path / "runs" / "deep" / "b"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../secret", "a/../../secret", "/etc", "deep", "a/", "./a", "a\0", "A", "..\\secret"]
)
def test_other_names_are_refused(tmp_path: Path, name: str) -> None:
    write_options_run(tmp_path / "secret")
    write_options_run(tmp_path / "runs" / "a")
    with pytest.raises(RunError, match="no run of this name"):
        ViewedFolder(tmp_path / "runs").path(name)


def test_folders_without_runs_are_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such folder"):
        ViewedFolder(tmp_path / "none")
    with pytest.raises(RunError, match="phraseproof evaluate --out"):
        ViewedFolder(tmp_path)
