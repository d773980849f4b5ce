"""Tasks of a project: files are found again from any folder, and a changed file is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.collect.project_tasks import load_project_tasks, project_tasks
from phraseproof.errors import CollectError, UsageError
from support.collecting import small_project, write_tickets


def test_tasks_are_found_again_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tickets(tmp_path)
    monkeypatch.chdir(tmp_path)
    tasks = project_tasks(["tickets", "everyday/phrases"])
    assert [(each.name, each.source) for each in tasks] == [
        ("tickets", str(tmp_path / "tickets.yaml")),
        ("everyday/phrases", "everyday/phrases"),
    ]
    assert {each.source for each in project_tasks(["everyday"])} >= {"everyday/tickets", "everyday/topics"}
    monkeypatch.chdir("/")
    loaded = load_project_tasks(small_project(tasks=tasks))
    assert list(loaded) == ["tickets", "everyday/phrases"]
    assert loaded["tickets"].examples[0].fields == {"message": "I was charged twice."}
    with pytest.raises(UsageError, match="unknown task 'tickets'"):
        project_tasks(["tickets"])


def test_a_file_that_holds_another_task_now(tmp_path: Path) -> None:
    path = write_tickets(tmp_path)
    tasks = project_tasks([str(path)])
    path.write_text(path.read_text(encoding="utf-8").replace("name: tickets", "name: letters"), encoding="utf-8")
    with pytest.raises(CollectError, match=r"expected tickets, got letters"):
        load_project_tasks(small_project(tasks=tasks))
