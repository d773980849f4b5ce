"""The owner's link: made once, kept while it is valid, and replaced when it is not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from phraseproof.collect.rows import now
from phraseproof.collect.web.owner_link import owner_link
from support.collect_site import BASE, CollectSite


def test_the_first_owner_is_invited_once(tmp_path: Path) -> None:
    site = CollectSite(tmp_path / "project")
    first = owner_link(site.store, BASE)
    assert first.startswith(f"{BASE}/i/")
    assert owner_link(site.store, BASE) == first
    browser = site.browser().enter(first.removeprefix(f"{BASE}/i/"))
    assert browser.get("/owner").status_code == 200


def test_an_owner_whose_link_ended_gets_a_new_one(tmp_path: Path) -> None:
    site = CollectSite(tmp_path / "project")
    first = owner_link(site.store, BASE)
    (owner,) = site.store.invitations()
    site.store.revoke(owner.id)
    second = owner_link(site.store, BASE)
    assert second != first
    site.store.renew(owner.id, expires=now() - timedelta(days=1))
    site.browser().enter(owner_link(site.store, BASE).removeprefix(f"{BASE}/i/"))
    assert len(site.store.invitations()) == 1
