"""Limits of requests: per person, per address, and of links that are not valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.collect.web.rates import PER_ADDRESS, PER_INVITATION, WRONG_LINKS, RequestRates
from phraseproof.collect.web.security import RefusedRequest
from support.collect_site import CollectSite


def test_one_person_is_limited_and_others_are_not(tmp_path: Path) -> None:
    site = CollectSite(tmp_path / "project", rate_scale=10 / PER_INVITATION)
    ada, ben = site.annotator(), site.annotator("Ben")
    answers = [ada.get("/tasks") for _ in range(12)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
    assert answers[-1].headers["retry-after"] == "60"
    assert "What was saved is kept." in answers[-1].text
    assert ben.get("/tasks").status_code == 200


def test_guessing_links_is_limited_and_valid_links_are_kept_out_too(tmp_path: Path) -> None:
    site = CollectSite(tmp_path / "project")
    browser, token = site.browser(), site.token("Ada")
    statuses = [browser.get(f"/i/guess{number}").status_code for number in range(WRONG_LINKS + 2)]
    assert statuses == [403] * WRONG_LINKS + [429] * 2
    assert browser.get(f"/i/{token}").status_code == 429  # else a guess that is right would be answered


def test_visitors_without_a_link_are_limited(tmp_path: Path) -> None:
    site = CollectSite(tmp_path / "project", rate_scale=3 / PER_ADDRESS)
    assert [site.browser().get("/").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_counts_are_separate_by_kind() -> None:
    rates = RequestRates(scale=1 / PER_ADDRESS)
    rates.count("invitation", "a")
    rates.count("address", "a")
    rates.require_room("link", "a")
    with pytest.raises(RefusedRequest) as refused:
        rates.count("invitation", "a")
    assert (refused.value.status, refused.value.reason) == (429, "rate")
