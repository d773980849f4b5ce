"""From a request to a page: refusals are pages of the form, and errors of the store are one line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from phraseproof.collect import database
from phraseproof.collect.store import DATABASE
from phraseproof.collect.web.app import application
from support.collect_site import CollectSite
from support.collect_tasks import tickets


@pytest.fixture
def site(tmp_path: Path) -> CollectSite:
    return CollectSite(tmp_path / "project")


def test_who_opened_no_link_is_asked_to(site: CollectSite) -> None:
    answer = site.browser().get("/tasks")
    assert answer.status_code == 403
    assert "Please open your link" in answer.text


def test_errors_of_the_store_are_pages(site: CollectSite) -> None:
    ada, owner = site.annotator(), site.owner()
    ada.get("/tasks/1")
    ada.save("zero-shot/1", "Draft.")
    (draft,) = site.store.wordings()
    owner.get("/owner/people")
    answer = owner.post(f"/owner/wordings/{draft.id}/accept", revision="1")
    assert answer.status_code == 409
    assert "Traceback" not in answer.text
    assert "Not done" in answer.text


def test_a_database_that_fails_is_a_page_without_our_paths(
    site: CollectSite, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    site.app = application(site.store.folder, base_url=site.base_url, tasks={"tickets": tickets()})
    ada = site.annotator()
    ada.get("/tasks/1")
    with closing(sqlite3.connect(site.store.folder / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = ada.save("zero-shot/1", "Which team?")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    assert "Not saved" in answer.text
    assert str(site.store.folder) not in answer.text
    assert "database is locked" in caplog.text
    assert ada.save("zero-shot/1", "Which team?").status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(site: CollectSite, method: str) -> None:
    assert site.annotator().client.request(method, "/tasks").status_code == 405


def test_two_people_write_at_once_in_separate_rows(site: CollectSite) -> None:
    ada, ben = site.annotator(), site.annotator("Ben")
    for browser in (ada, ben):
        browser.get("/tasks/1")
    for number in (1, 2):
        ada.save(f"zero-shot/{number}", f"Ada's text {number}")
        ben.save(f"zero-shot/{number}", f"Ben's text {number}")
    written = {(each.invitation_id, each.row): each.text for each in site.store.wordings()}
    assert written == {
        (site.id_of(name), number): f"{name}'s text {number}" for name in ("Ada", "Ben") for number in (1, 2)
    }
    assert "Ben" not in ada.get("/tasks/1").text
