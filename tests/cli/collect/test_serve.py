"""`collect serve`: what it prints, what it resumes, and what it refuses in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from phraseproof.collect.invitations import invitation_of
from phraseproof.collect.store import CollectStore
from support.command_line import run_command

TASK = "everyday/reviews"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The calls of the server, which here answers no one."""
    calls: list[Any] = []

    def answer(store: CollectStore, listening: Any, *, trusted_proxies: tuple[str, ...]) -> None:
        calls.append((store.project, listening.base_url, trusted_proxies))

    monkeypatch.setattr("phraseproof.collect.web.server.serve", answer)
    return calls


def test_a_project_is_made_then_resumed(tmp_path: Path, served: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "project"
    options = ("--port", "0", "--title", "Reviews", "--zero-shot", "2", "--few-shot", "0")
    first = run_command(capsys, "collect", "serve", TASK, "--out", folder, *options)
    assert first.code == 0, first.err
    project, base_url, proxies = served[0]
    assert (project.title, project.licence, project.zero_shot, project.few_shot) == ("Reviews", "CC0-1.0", 2, 0)
    assert [task.name for task in project.tasks] == [TASK]
    assert (base_url.startswith("http://127.0.0.1:"), proxies) == (True, ())
    assert base_url in first.err
    token = first.out.strip().removeprefix(f"owner: {base_url}/i/")
    with CollectStore.open(folder) as store:
        assert invitation_of(store, token).role == "owner"
    proxied = ("--base-url", "https://wordings.example.org", "--trusted-proxy", "10.0.0.1")
    again = run_command(capsys, "collect", "serve", "--out", folder, "--port", "0", *proxied)
    assert again.out == f"owner: https://wordings.example.org/i/{token}\n"
    assert served[1] == (project, "https://wordings.example.org", ("10.0.0.1",))
    assert run_command(capsys, "collect", "serve", TASK, "--out", folder, "--port", "0", *options).code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "a new project needs a task"),
        (("nothing/here",), "unknown task 'nothing/here'"),
        ((TASK, "--zero-shot", "0", "--few-shot", "0"), "a project asks for wordings"),
        ((TASK, "--host", "0.0.0.0"), "links need the address that people use"),
    ],
)
def test_what_cannot_be_made(
    tmp_path: Path, served: list[Any], capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    done = run_command(capsys, "collect", "serve", *arguments, "--out", tmp_path / "project", "--port", "0")
    assert done.code == 2
    assert message in done.err
    assert served == []
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("everyday/notes",), "the project has other tasks (expected everyday/reviews, got everyday/notes)"),
        (("--zero-shot", "3"), "the project has another zero-shot (expected 6, got 3)"),
        (("--licence", "MIT"), "the project has another licence (expected CC0-1.0, got MIT)"),
    ],
)
def test_what_a_project_does_not_take_over(
    tmp_path: Path, served: list[Any], capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    run_command(capsys, "collect", "serve", TASK, "--out", tmp_path / "project", "--port", "0")
    done = run_command(capsys, "collect", "serve", *arguments, "--out", tmp_path / "project", "--port", "0")
    assert done.code == 2
    assert message in done.err
    assert len(served) == 1
