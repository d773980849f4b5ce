"""`collect status` counts what everyone has written."""

from __future__ import annotations

import json

from phraseproof.collect.rows import now
from phraseproof.collect.store import CollectStore

from .conftest import Collect


def test_the_table_and_its_json(collect: Collect, opened: CollectStore) -> None:
    opened.revoke(opened.invitation_called("Ben").id)
    opened.invite("Boss", expires=now(), role="owner")
    rows = [line.split() for line in collect("status").out.splitlines()]
    assert rows[0] == ["Wordings", "for", "tickets"]
    assert rows[2:] == [
        ["Ada", "valid", "tickets", "3", "0", "3", "0", "0"],
        ["Ben", "revoked", "tickets", "3", "1", "0", "0", "0"],
        ["owners:", "Boss", "(expired)"],
    ]
    found = json.loads(collect("status", "--json").out)
    assert [(each["name"], each["state"]) for each in found["people"]] == [
        ("Ada", "valid"),
        ("Ben", "revoked"),
        ("Boss", "expired"),
    ]
    assert found["people"][1]["agreed"] is None
    assert found["progress"][0]["submitted"] == 3
