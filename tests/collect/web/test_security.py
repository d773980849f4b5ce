"""Headers on every response; foreign origins and hosts, and bodies that are too large or no forms, are refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from phraseproof.collect.web.security import MAX_BODY, MAX_FIELDS, MAX_STRANGERS_BODY, whole_number
from phraseproof.web.headers import POLICY
from support.collect_site import CollectSite


@pytest.fixture
def site(tmp_path: Path) -> CollectSite:
    return CollectSite(tmp_path / "project")


def test_every_response_has_the_headers(site: CollectSite) -> None:
    browser = site.annotator()
    for path in ("/", "/tasks", "/tasks/1", "/nothing", "/static/collect.css", "/static/nothing", "/health", "/owner"):
        headers = browser.get(path).headers
        assert headers["content-security-policy"] == POLICY, path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")
        assert "strict-transport-security" not in headers
    assert "unsafe" not in POLICY


def test_pages_hold_no_inline_scripts_or_styles(site: CollectSite) -> None:
    ada, owner = site.annotator(), site.owner()
    ada.get("/tasks/1")
    ada.save("zero-shot/1", "Which team?")
    ada.post("/tasks/1/submit")
    (wording,) = site.store.wordings()
    pages = [ada.get(path).text for path in ("/", "/tasks", "/tasks/1", "/nothing")]
    pages += [
        owner.get(path).text
        for path in ("/owner", "/owner/people", "/owner/review", "/owner/export", f"/owner/wordings/{wording.id}")
    ]
    for page in pages:
        assert " style=" not in page
        assert " onclick=" not in page
        assert page.count("<script") == page.count('<script src="/static/collect.js" defer></script>')


def test_behind_tls_browsers_insist_on_it_and_cookies_are_secure(tmp_path: Path) -> None:
    site = CollectSite(tmp_path / "project", base_url="https://wordings.example.org")
    browser = site.browser()
    answer = browser.get("/")
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    cookie = answer.headers["set-cookie"]
    assert re.match("__Host-phraseproof-[0-9a-f]{8}-visit=", cookie)
    for part in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert part in cookie
    assert site.annotator().get("/tasks").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example"])
def test_other_hosts_are_refused(site: CollectSite, host: str) -> None:
    assert site.browser().get("/", host=host).status_code == 400


@pytest.mark.parametrize(("host", "status"), [("[fd00::1]:8000", 200), ("[::1]:8000", 200), ("[fd00::2]:8000", 400)])
def test_hosts_may_be_addresses_of_ipv6(tmp_path: Path, host: str, status: int) -> None:
    app = CollectSite(tmp_path / "project", base_url="http://[fd00::1]:8000").app
    assert TestClient(app).get("/", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_changes_from_other_origins_are_refused(site: CollectSite, headers: dict[str, str]) -> None:
    browser = site.annotator()
    browser.get("/tasks/1")
    fields = {"row.text": "text", "row.base": "0"}
    assert browser.send("/tasks/1/zero-shot/1", fields, headers).status_code == 403
    assert site.store.wordings() == ()
    own = {"origin": site.base_url, "sec-fetch-site": "same-origin"}
    assert browser.send("/tasks/1/zero-shot/1", fields, own).status_code == 200


def test_a_proxy_may_pass_on_the_host_without_its_port(tmp_path: Path) -> None:
    site = CollectSite(tmp_path / "other", base_url="https://wordings.example.org:8443")
    browser = site.annotator()
    browser.get("/tasks")
    headers = {"origin": "https://wordings.example.org:8443", "host": "wordings.example.org"}
    assert browser.send("/leave", {}, headers).status_code == 303
    assert browser.send("/leave", {}, {**headers, "origin": "https://wordings.example.org:1"}).status_code == 403


def test_large_bodies_are_refused_whatever_their_header_says(site: CollectSite) -> None:
    browser = site.annotator()
    browser.get("/tasks/1")
    assert browser.save("zero-shot/1", "x" * MAX_BODY).status_code == 413

    def parts():  # no length is announced
        yield b"csrf=x&row.text="
        for _ in range(MAX_BODY // 100_000 + 1):
            yield b"x" * 100_000

    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert browser.client.post("/tasks/1/zero-shot/1", content=parts(), headers=headers).status_code == 413
    assert site.store.wordings() == ()


def test_strangers_send_little(site: CollectSite) -> None:
    browser, token = site.browser(), site.token("Ada")
    browser.get(f"/i/{token}")
    assert browser.post(f"/i/{token}", agree="yes", more="x" * MAX_STRANGERS_BODY).status_code == 413
    # Refused for who asks, before the size counts.
    assert browser.post("/tasks/1/save", more="x" * MAX_BODY).status_code == 403


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"row.text": "x"}', "application/json", 415),
        (b"x", "multipart/form-data; boundary=x", 415),
        (b"csrf=\xff", "application/x-www-form-urlencoded", 400),
        (b"csrf=%ff", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=1" for _ in range(MAX_FIELDS + 1)), "application/x-www-form-urlencoded", 400),
        (b"", "application/x-www-form-urlencoded", 403),
    ],
)
def test_bodies_that_are_no_form(site: CollectSite, content: bytes, kind: str, status: int) -> None:
    browser = site.annotator()
    answer = browser.client.post("/tasks/1/zero-shot/1", content=content, headers={"content-type": kind})
    assert answer.status_code == status


def test_texts_above_the_limit_are_not_rendered(site: CollectSite) -> None:
    browser = site.annotator()
    browser.get("/tasks/1")
    assert "too long" in browser.save("zero-shot/1", "word " * 2_000).text
    assert browser.save("zero-shot/2", "x" * 30_000).status_code == 409


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("12", 12),
        ("9" * 9, 999_999_999),
        ("9" * 10, None),
        ("", None),
        ("-1", None),
        ("1e3", None),
        ("\u0663", None),
    ],
)
def test_whole_number(text: str, number: int | None) -> None:
    assert whole_number(text) == number
