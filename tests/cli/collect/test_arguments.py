"""What `--kind` and `--status` mean, and a folder without a project."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from phraseproof.cli.collect.arguments import KindName, StatusName, kinds_of, open_project, statuses_of
from phraseproof.collect.records import SHOTS, STATUSES
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
