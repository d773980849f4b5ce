"""The owner's pages: progress, people and links, exports, and deletion."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from phraseproof.core import Relation
from phraseproof.instructions.collections import load_collection
from support.collect_site import CollectSite

ROUTES = (
    *("/owner", "/owner/people", "/owner/review", "/owner/export/everything.json", "/owner/export/zero-shot.yaml"),
    "/owner/wordings/x",
)


@pytest.fixture
def site(tmp_path: Path) -> CollectSite:
    return CollectSite(tmp_path / "project")


def test_progress_counts_by_person_and_task(site: CollectSite) -> None:
    ada = site.annotator()
    ada.get("/tasks/1")
    ada.save("zero-shot/1", "Which team?")
    ada.post("/tasks/1/submit")
    ada.save("zero-shot/2", "Who answers?")
    site.annotator("Ben")
    page = site.owner().get("/owner").text
    row = r"<bdi>Ada</bdi></th><td>tickets</td>\s*" + "".join(
        rf'<td class="number">{count}</td>' for count in (1, 1, 0, 0, 3)
    )
    assert re.search(row, page)
    assert "<bdi>Ben</bdi>" in page
    assert "Review 1 text" in page


@pytest.mark.parametrize("path", ROUTES)
def test_the_owners_pages_are_closed_to_others(site: CollectSite, path: str) -> None:
    assert site.browser().get(path).status_code == 403
    assert site.annotator().get(path).status_code == 403


def test_an_owner_is_no_annotator(site: CollectSite) -> None:
    assert site.owner().get("/tasks").status_code == 403


def test_invited_people_enter_by_their_links(site: CollectSite) -> None:
    owner = site.owner()
    owner.get("/owner/people")
    page = owner.post("/owner/people", names="Ada\n\n Ben \n", days="7", role="annotator")
    assert page.status_code == 200
    links = re.findall(r'value="(http://127\.0\.0\.1:8000/i/[^"]+)"', page.text.partition('id="invite"')[0])
    assert len(links) == 2
    assert "Welcome, Ben" in site.browser().get(links[1]).text
    assert [each.pseudonym for each in site.store.invitations()] == ["Olga", "Ada", "Ben"]


def test_who_is_invited_already_is_named_and_the_others_are_invited(site: CollectSite) -> None:
    site.token("Ada")
    owner = site.owner()
    owner.get("/owner/people")
    page = owner.post("/owner/people", names="ada\nBen", days="7", role="annotator")
    assert page.status_code == 400
    assert "&#39;ada&#39; is invited already" in page.text
    assert site.store.invitation_called("Ben").role == "annotator"


@pytest.mark.parametrize(
    ("names", "days"), [("", "7"), ("Ada", "0"), ("Ada", "x"), ("Ada", "9999999"), ("A\n" * 201, "7")]
)
def test_wrong_invitations_are_refused(site: CollectSite, names: str, days: str) -> None:
    owner = site.owner()
    owner.get("/owner/people")
    assert owner.post("/owner/people", names=names, days=days, role="annotator").status_code == 400
    assert len(site.store.invitations()) == 1


def test_a_withdrawn_link_ends_also_what_is_open(site: CollectSite) -> None:
    ada, owner = site.annotator(), site.owner()
    owner.get("/owner/people")
    assert owner.post(f"/owner/people/{site.id_of('Ada')}/revoke").status_code == 303
    assert "The link was withdrawn" in ada.get("/tasks").text
    assert "withdrawn" in owner.get("/owner/people").text


def test_a_new_link_ends_the_old_one(site: CollectSite) -> None:
    token = site.token("Ada")
    ada = site.browser().enter(token, agree="yes")
    owner = site.owner()
    owner.get("/owner/people")
    page = owner.post(f"/owner/people/{site.id_of('Ada')}/renew", days="30").text
    assert "New links" in page
    assert ada.get("/tasks").status_code == 403
    assert site.browser().get(f"/i/{token}").status_code == 403


def test_a_persons_data_is_deleted_after_the_name_is_repeated(site: CollectSite) -> None:
    ada, owner = site.annotator(), site.owner()
    ada.get("/tasks/1")
    ada.save("zero-shot/1", "Which team?")
    path = f"/owner/people/{site.id_of('Ada')}/delete"
    assert "Delete all data of Ada" in owner.get(path).text
    assert owner.post(path, name="Eve").status_code == 400
    assert site.store.wordings()
    assert owner.post(path, name="Ada").status_code == 303
    assert site.store.wordings() == ()
    assert ada.get("/tasks").status_code == 403


def test_owners_do_not_lock_themselves_out(site: CollectSite) -> None:
    owner = site.owner()
    owner.get("/owner/people")
    for step in ("revoke", "delete"):
        assert owner.post(f"/owner/people/{site.id_of('Olga')}/{step}", name="Olga").status_code == 409
    assert owner.get("/owner").status_code == 200


def test_everything_is_exported_without_what_links_are_made_of(site: CollectSite) -> None:
    ada = site.annotator()
    ada.get("/tasks/1")
    ada.save("zero-shot/1", "Which team?")
    answer = site.owner().get("/owner/export/everything.json")
    assert answer.headers["content-disposition"] == 'attachment; filename="everything.json"'
    content = json.loads(answer.text)
    assert content["format"] == 1  # as the file of `collect export --everything`
    assert [each["text"] for each in content["wordings"]] == ["Which team?"]
    assert site.store.invitation_called("Ada").token_id not in answer.text


def test_accepted_wordings_are_exported_as_a_collection(site: CollectSite, tmp_path: Path) -> None:
    ada = site.annotator()
    ada.get("/tasks/1")
    ada.save("zero-shot/1", "Which team should answer?")
    ada.save("zero-shot/2", "which team  should answer?")
    ada.post("/tasks/1/submit")
    owner = site.owner()
    assert owner.get("/owner/export/zero-shot.yaml").status_code == 409
    for each in site.store.wordings():
        site.store.accept(each.id, by="owner")
    page = owner.get("/owner/export").text
    assert "1 wording is left out" in page
    assert owner.get("/owner/export/other.yaml").status_code == 404
    (tmp_path / "c.yaml").write_text(owner.get("/owner/export/zero-shot.yaml").text, encoding="utf-8")
    (wording,) = load_collection(str(tmp_path / "c.yaml")).instructions
    assert (wording.ask, wording.author, wording.licence) == ("Which team should answer?", "Ada", "CC0-1.0")
    assert wording.relation is Relation.UNOBSERVED


@pytest.mark.parametrize("days", ["", "0", "731", "1e3", "000001999999999999", "\u0663"])
def test_days_that_no_invitation_lasts_are_refused(site: CollectSite, days: str) -> None:
    owner = site.owner()
    owner.get("/owner/people")
    assert owner.post("/owner/people", names="Ada", days=days).status_code == 400
    assert [each.pseudonym for each in site.store.invitations()] == ["Olga"]
