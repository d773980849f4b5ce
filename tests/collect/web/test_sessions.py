"""Cookies and the secret of forms: forged, foreign or missing ones change nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from phraseproof.collect.invitations import key_of
from phraseproof.collect.rows import now
from phraseproof.collect.web.sessions import Sessions
from support.collect_site import CollectSite

FIELDS = {"row.text": "text", "row.base": "0"}
ROW = "/tasks/1/zero-shot/1"


@pytest.fixture
def site(tmp_path: Path) -> CollectSite:
    return CollectSite(tmp_path / "project")


def _cookie(site: CollectSite, name: str) -> str:
    return Sessions(key_of(site.store.folder), is_secure=False).cookie(name)


@pytest.mark.parametrize("token", ["", "0" * 64, "ü", "x" * 10_000])
def test_forms_without_the_right_secret_change_nothing(site: CollectSite, token: str) -> None:
    browser = site.annotator()
    browser.csrf = token
    answer = browser.post(ROW, **FIELDS)
    assert answer.status_code == 403
    assert "This page is too old." in answer.text
    assert site.store.wordings() == ()


def test_the_secret_of_another_browser_is_refused(site: CollectSite) -> None:
    ada, ben = site.annotator(), site.annotator("Ben")
    ada.get("/tasks/1")
    ben.csrf = ada.csrf
    assert ben.post(ROW, **FIELDS).status_code == 403


def test_every_change_needs_the_secret(site: CollectSite) -> None:
    paths = ("/tasks/1/save", "/tasks/1/submit", ROW)
    ada = site.annotator()
    ada.csrf = ""
    assert {ada.post(path).status_code for path in paths} == {403}
    owner = site.owner()
    owner.csrf = ""
    person = site.id_of("Ada")
    steps = [f"/owner/people/{person}/{step}" for step in ("renew", "revoke", "delete")]
    steps += ["/owner/people", *(f"/owner/wordings/x/{step}" for step in ("accept", "return", "edit"))]
    assert {owner.post(path).status_code for path in steps} == {403}
    token = site.token("Cleo")
    browser = site.browser()
    browser.get(f"/i/{token}")
    browser.csrf = ""
    assert browser.post(f"/i/{token}", agree="yes").status_code == 403
    assert site.store.invitation_called("Cleo").agreed_at is None


def test_cookies_are_hidden_from_scripts_and_other_sites(site: CollectSite) -> None:
    browser, token = site.browser(), site.token("Ada")
    browser.get(f"/i/{token}")
    cookie = browser.post(f"/i/{token}", agree="yes").headers["set-cookie"]
    assert re.match(r"phraseproof-[0-9a-f]{8}-annotator=", cookie)
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


@pytest.mark.parametrize("value", ["x", "x" * 5_000, "WyJhIiwiYiJd.x"])
def test_forged_cookies_give_no_access(site: CollectSite, value: str) -> None:
    browser = site.browser()
    browser.client.cookies.set(_cookie(site, "annotator"), value)
    assert browser.get("/tasks").status_code == 403


def test_the_cookie_of_one_role_does_not_open_the_other(site: CollectSite) -> None:
    ada = site.annotator()
    ada.client.cookies.set(_cookie(site, "owner"), ada.client.cookies[_cookie(site, "annotator")])
    assert ada.get("/owner").status_code == 403


def test_two_projects_on_one_host_do_not_end_each_others_sessions(site: CollectSite, tmp_path: Path) -> None:
    ada, other = site.annotator(), CollectSite(tmp_path / "other")
    ben = other.browser()
    ben.client.cookies.update(ada.client.cookies)  # browsers send a host's cookies to all its ports
    ben.enter(other.token("Ben"), agree="yes")
    ada.client.cookies.update(ben.client.cookies)
    assert ben.save("zero-shot/1", "Which team?").status_code == 200
    assert ada.save("zero-shot/1", "Who answers?").status_code == 200


def test_a_cookie_ends_with_its_invitation(site: CollectSite) -> None:
    ada = site.annotator()
    person = site.store.invitation_called("Ada")
    site.store.renew(person.id, expires=now() + timedelta(days=1))
    assert ada.get("/tasks").status_code == 403  # another link was made
    ben = site.annotator("Ben")
    site.store.delete_person(site.id_of("Ben"))
    assert ben.get("/tasks").status_code == 403


def test_the_secret_depends_on_key_and_browser() -> None:
    one, other = Sessions(b"k" * 32, is_secure=False), Sessions(b"o" * 32, is_secure=False)
    assert one.is_csrf_token("a", one.csrf_token("a"))
    assert not one.is_csrf_token("b", one.csrf_token("a"))
    assert not one.is_csrf_token("a", other.csrf_token("a"))
    assert not one.is_csrf_token(None, one.csrf_token("a"))
