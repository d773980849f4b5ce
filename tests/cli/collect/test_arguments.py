"""What `--kind` and `--status` mean, a folder without a project, and warnings of what is left out."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from phraseproof.cli.collect.arguments import (
    KindName,
    StatusName,
    kinds_of,
    open_project,
    statuses_of,
    warn_of_left_out,
)
from phraseproof.collect.export import LeftOut
from phraseproof.collect.records import SHOTS, STATUSES
from phraseproof.collect.store import CollectStore
from phraseproof.errors import CollectError


def test_names_are_those_of_the_records() -> None:
    assert get_args(KindName) == SHOTS == kinds_of("both")
    assert get_args(StatusName) == STATUSES
    assert kinds_of("few-shot") == ("few-shot",)
    assert statuses_of("accepted") == ("accepted",)
    assert set(statuses_of("all")) == set(STATUSES) - {"draft"}


def test_a_folder_without_a_project(tmp_path: Path) -> None:
    with pytest.raises(CollectError, match="no collecting project is here"):
        open_project(tmp_path)


def test_at_most_ten_warnings_of_what_is_left_out(opened: CollectStore, capsys: pytest.CaptureFixture[str]) -> None:
    (wording, *_) = opened.wordings()
    warn_of_left_out([LeftOut(wording, "Ada", f"reason {number}") for number in range(12)])
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "warning: tickets, zero-shot 1, Ada is left out: reason 0"
    assert lines[9:] == ["warning: tickets, zero-shot 1, Ada is left out: reason 9", "warning: 2 more are left out"]
