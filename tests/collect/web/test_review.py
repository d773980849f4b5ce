"""Reviews: accept, return with a comment, edit with a history, and which wording comes next."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.collect.store import CollectStore
from support.collect_site import CollectSite, Visitor

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def site(tmp_path: Path) -> CollectSite:
    made = CollectSite(tmp_path / "project")
    ada = made.annotator()
    ada.get("/tasks/1")
    ada.save("zero-shot/1", f"Which team? {HOSTILE}")
    ada.save("zero-shot/2", "Who answers?")
    ada.post("/tasks/1/submit")
    return made


@pytest.fixture
def owner(site: CollectSite) -> Visitor:
    return site.owner()


def test_the_list_shows_what_waits_by_status_and_task(site: CollectSite, owner: Visitor) -> None:
    page = owner.get("/owner/review").text
    assert "2 texts, submitted." in page
    assert HOSTILE not in page
    assert "0 texts, accepted." in owner.get("/owner/review?status=accepted&task=1").text
    assert owner.get("/owner/review?status=other").status_code == 404
    assert "Who answers?" not in owner.get("/owner/review?page=2").text


def test_accepting_leads_to_the_next_and_then_to_the_list(site: CollectSite, owner: Visitor) -> None:
    first, second = site.store.wordings()
    page = owner.get(f"/owner/wordings/{first.id}").text
    assert "What the model would see" in page
    assert "Message: I was charged twice." in page
    assert HOSTILE not in page
    answer = owner.post(f"/owner/wordings/{first.id}/accept", revision=str(first.revision))
    assert answer.headers["location"] == f"/owner/wordings/{second.id}"
    answer = owner.post(f"/owner/wordings/{second.id}/accept", revision=str(second.revision))
    assert answer.headers["location"] == "/owner/review"
    assert [each.status for each in site.store.wordings()] == ["accepted", "accepted"]


def test_what_changed_since_the_page_was_read_is_not_reviewed(site: CollectSite, owner: Visitor) -> None:
    first = site.store.wordings()[0]
    owner.get(f"/owner/wordings/{first.id}")
    ada = first.invitation_id
    site.store.save(ada, first.task, first.kind, first.row, "Another text", answer=None, base=first.revision)
    site.store.submit(ada, first.task)
    for step in ("accept", "return", "edit"):
        fields = {"revision": str(first.revision), "comment": "Shorter.", "text": "A text of an owner"}
        assert owner.post(f"/owner/wordings/{first.id}/{step}", **fields).status_code == 409
    assert site.store.wordings()[0].text == "Another text"
    assert site.store.wordings()[0].status == "submitted"


def test_returning_needs_a_comment(site: CollectSite, owner: Visitor) -> None:
    first = site.store.wordings()[0]
    seen = str(first.revision)
    owner.get(f"/owner/wordings/{first.id}")
    assert owner.post(f"/owner/wordings/{first.id}/return", comment=" ", revision=seen).status_code == 400
    assert owner.post(f"/owner/wordings/{first.id}/return", comment="Name the teams.", revision=seen).status_code == 303
    assert (site.store.wordings()[0].status, site.store.wordings()[0].comment) == ("returned", "Name the teams.")


def test_an_edit_keeps_the_authors_text_in_the_history(site: CollectSite, owner: Visitor) -> None:
    second = site.store.wordings()[1]
    owner.get(f"/owner/wordings/{second.id}")
    changes = {"text": "Who should answer?", "answer": "text", "whole": "", "revision": str(second.revision)}
    answer = owner.post(f"/owner/wordings/{second.id}/edit", **changes)
    page = owner.get(answer.headers["location"]).text
    assert "The change is saved." in page
    assert page.index("Who should answer?") < page.index('<blockquote class="text">Who answers?')
    changed = site.store.wordings()[1]
    assert (changed.text, changed.answer, changed.form) == ("Who should answer?", "text", "ask")


@pytest.mark.parametrize("step", ["accept", "return", "edit"])
def test_unknown_wordings(owner: Visitor, step: str) -> None:
    owner.get("/owner/people")
    assert owner.post(f"/owner/wordings/nothing/{step}").status_code == 404


@pytest.mark.parametrize("read", ["wordings", "wording"])
def test_wordings_of_a_person_who_is_deleted_meanwhile_are_not_shown(
    site: CollectSite, owner: Visitor, monkeypatch: pytest.MonkeyPatch, read: str
) -> None:
    first = site.store.wordings()[0]
    reads = getattr(CollectStore, read)

    def read_and_delete(store: CollectStore, *names: str, **conditions: str) -> object:
        found = reads(store, *names, **conditions)
        if store.invitation(first.invitation_id):
            store.delete_person(first.invitation_id)
        return found

    monkeypatch.setattr(CollectStore, read, read_and_delete)
    if read == "wordings":
        assert "0 texts, submitted." in owner.get("/owner/review").text
    else:
        assert owner.get(f"/owner/wordings/{first.id}").status_code == 404
