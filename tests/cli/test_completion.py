"""Shell completion: names of tasks and collections, after commas and after GROUP=."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from phraseproof.cli.completion import complete_groups, complete_instructions, complete_tasks


def test_tasks() -> None:
    assert complete_tasks("mmlu/anat") == ["mmlu/anatomy"]
    assert "bbl" in complete_tasks("")
    assert complete_tasks("no-such") == []


def test_after_a_comma_only_the_last_name_is_completed() -> None:
    assert complete_tasks("bbl,mmlu/anat") == ["bbl,mmlu/anatomy"]
    assert "pocket" not in [found.rpartition(",")[2] for found in complete_tasks("pocket,")]


def test_collections_shipped_and_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "instructions").mkdir()
    (tmp_path / "instructions" / "comparing.yaml").touch()
    found = complete_instructions("comp")
    assert "composed" in found
    assert "comparing" in found


def test_two_own_collections_of_one_name_do_not_stop_completion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "instructions" / "mine").mkdir(parents=True)
    (tmp_path / "instructions" / "mine.yaml").touch()
    assert complete_instructions("composed") == ["composed"]


def test_groups() -> None:
    assert complete_groups("comp") == [], "the name of a group is the user's choice"
    assert complete_groups("mine=composed") == ["mine=composed"]
    assert complete_groups("mine=x,composed") == ["mine=x,composed"]


def test_completion_of_a_name_loads_no_model_code() -> None:
    code = """
import sys
from phraseproof.cli.completion import complete_instructions, complete_tasks
assert complete_tasks("bb") and complete_instructions("com")
assert not {"torch", "transformers", "datasets", "duckdb", "scipy"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
