"""`collect invite` prints links that give access; a renewed link ends the old one."""

from __future__ import annotations

import json

import pytest

from phraseproof.collect.invitations import InvitationError, invitation_of, remember_address
from phraseproof.collect.store import CollectStore

from .conftest import Collect


def test_links_give_access(collect: Collect, opened: CollectStore) -> None:
    done = collect("invite", "Cid", "Dora", "--base-url", "https://wordings.example.org/", "--days", "14")
    assert done.code == 0
    lines = dict(line.split(": ") for line in done.out.splitlines())
    assert list(lines) == ["Cid", "Dora"]
    start = "https://wordings.example.org/i/"
    assert invitation_of(opened, lines["Cid"].removeprefix(start)).pseudonym == "Cid"
    assert "the links are valid until" in done.err
    renewed = json.loads(collect("invite", "cid", "--renew", "--json").out)
    assert renewed[0]["name"] == "Cid"
    assert invitation_of(opened, renewed[0]["link"].rpartition("/")[2]).pseudonym == "Cid"
    with pytest.raises(InvitationError, match="revoked"):
        invitation_of(opened, lines["Cid"].removeprefix(start))
    assert json.loads(collect("invite", "Boss", "--owner", "--json").out)[0]["name"] == "Boss"
    assert opened.invitation_called("Boss").role == "owner"


def test_all_are_invited_or_no_one(collect: Collect, opened: CollectStore) -> None:
    done = collect("invite", "Cid", "ADA")
    assert done.code == 2
    assert "'ADA' is invited already" in done.err
    assert [each.pseudonym for each in opened.invitations()] == ["Ada", "Ben"]
    assert "no one is called 'Eve'" in collect("invite", "Eve", "--renew").err
    done = collect("invite", "Ada", "--renew", "--owner")
    assert (done.code, "--owner cannot be used with --renew" in done.err) == (2, True)


def test_links_lead_to_where_the_form_was_served(collect: Collect, opened: CollectStore) -> None:
    early = collect("invite", "Cid")
    assert early.out.startswith("Cid: http://127.0.0.1:8000/i/")
    assert "the form was not served yet" in early.err
    remember_address(opened.folder, "http://127.0.0.1:8123")
    later = collect("invite", "Dora")
    assert later.out.startswith("Dora: http://127.0.0.1:8123/i/")
    assert "served" not in later.err
