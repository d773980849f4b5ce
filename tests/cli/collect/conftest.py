"""A small project for every command, made without waiting for the disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from phraseproof.collect import database
from phraseproof.collect.project_tasks import new_project
from phraseproof.collect.store import CollectStore
from support.collecting import LATER, LICENCE, write_tickets
from support.command_line import Done, run_command

Collect = Callable[..., Done]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project: Ada submitted two zero-shot wordings and a few-shot one, Ben has a draft."""
    with new_project(tmp_path / "collected", [str(write_tickets(tmp_path))], zero_shot=2, few_shot=1) as store:
        ada, ben = (store.invite(name, expires=LATER) for name in ("Ada", "Ben"))
        store.agree(ada.id, LICENCE)
        for row, text in ((1, "Which team should answer?"), (2, "{{ message }} Whose job is this?")):
            store.save(ada.id, "tickets", "zero-shot", row, text, answer=None, base=None)
        store.save(ada.id, "tickets", "few-shot", 1, "Sort the messages.", answer=None, base=None)
        store.submit(ada.id, "tickets")
        store.save(ben.id, "tickets", "zero-shot", 1, "A draft", answer=None, base=None)
    return tmp_path / "collected"


@pytest.fixture
def opened(folder: Path) -> CollectStore:
    return CollectStore.open(folder)


@pytest.fixture
def collect(folder: Path, capsys: pytest.CaptureFixture[str]) -> Collect:
    """Run `phraseproof collect VERB FOLDER ARGUMENTS`."""

    def run(verb: str, *arguments: str | Path) -> Done:
        return run_command(capsys, "collect", verb, folder, *arguments)

    return run
