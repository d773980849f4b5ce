"""The application by its addresses: only this machine, only reading, nothing outside the folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from phraseproof.errors import RunError
from phraseproof.viewer.app import application
from phraseproof.viewer.library import Library
from phraseproof.web.headers import POLICY
from support.viewed_runs import write_options_run

BASE = "http://127.0.0.1:8123"


def browser(root: Path, **options: Any) -> TestClient:
    return TestClient(application(root, Library()), base_url=BASE, follow_redirects=False, **options)


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    write_options_run(tmp_path / "secret")
    write_options_run(tmp_path / "runs" / "one")
    return browser(tmp_path / "runs")


def test_pages_have_the_headers_and_no_inline_code(client: TestClient) -> None:
    for path in ("/", "/run?run=one", "/examples?run=one", "/example?run=one&example=e1", "/compare?run=one&other=one"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-security-policy"] == POLICY
        assert " style=" not in answer.text
        assert " onclick=" not in answer.text
        assert answer.text.count("<script") == answer.text.count('<script src="/static/') + answer.text.count(
            '<script type="module" src="/static/'
        )


@pytest.mark.parametrize("name", ["report.css", "viewer.css", "viewer.js", "theme.js", "icon.svg"])
def test_static_files(client: TestClient, name: str) -> None:
    answer = client.get(f"/static/{name}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"
    assert "//" not in answer.text.replace("http://www.w3.org/2000/svg", "") or name.endswith(".js")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:8123", ""])
def test_other_hosts_are_refused(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8123", "localhost:1", "[::1]:8123"])
def test_this_machine_is_answered(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(client: TestClient, method: str) -> None:
    for path in ("/", "/run?run=one", "/examples?run=one"):
        assert client.request(method, path).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/run?run=../secret",
        "/run?run=%2e%2e%2fsecret",
        "/run?run=/etc/passwd",
        "/run",
        "/compare?run=one&other=../secret",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/nothing",
        "/examples?run=one&scoring=%27",
        "/example?run=one&example=%00",
    ],
)
def test_what_is_not_there(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "This cannot be shown" in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", ["/examples", "/example", "/run", "/compare"])
def test_hostile_values_are_answered(client: TestClient, path: str) -> None:
    names = ("q", "base", "group", "kind", "wording", "show", "sort", "by", "page", "cols", "shots", "task", "answer")
    broken = "\ud800".encode("utf-8", "surrogatepass")
    for value in ("'; DROP TABLE outcomes; --", "9" * 300, "-1", broken, "a" * 5000):
        given = {"run": "one", "other": "one", "example": "e1", **dict.fromkeys(names, value)}
        assert client.get(path, params=given).status_code == 200, value
    assert client.get("/examples?run=one").text.count('class="cell') == 12


def test_a_run_is_opened_at_once(tmp_path: Path) -> None:
    run = write_options_run(tmp_path / "run")
    answer = browser(run).get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/run?run=.")


def test_a_run_that_vanishes_is_one_line(tmp_path: Path) -> None:
    run = write_options_run(tmp_path / "runs" / "one")
    client = browser(tmp_path / "runs")
    assert client.get("/examples?run=one").status_code == 200
    shutil.rmtree(run)
    answer = client.get("/example?run=one&example=e1")
    assert answer.status_code == 404
    assert str(tmp_path) not in answer.text


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run in this folder"):
        application(tmp_path, Library())
