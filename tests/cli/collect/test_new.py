"""`collect new` makes a project once."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.collect.store import CollectStore
from support.collecting import write_tickets
from support.command_line import run_command


def test_a_project_is_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = write_tickets(tmp_path)
    words = (
        "collect",
        "new",
        task,
        "everyday/phrases",
        "-o",
        tmp_path / "c",
        "--licence",
        "CC-BY-4.0",
        "--few-shot",
        "0",
    )
    done = run_command(capsys, *words)
    assert (done.code, done.out) == (0, "")
    assert "collects 6 + 0 wordings per person for tickets, everyday/phrases" in done.err
    with CollectStore.open(tmp_path / "c") as store:
        project = store.project
    assert (project.title, project.licence) == ("Wordings for tickets, everyday/phrases", "CC-BY-4.0")
    assert (project.zero_shot, project.few_shot) == (6, 0)
    again = run_command(capsys, *words)
    assert again.code == 2
    assert "the folder holds a project already" in again.err
