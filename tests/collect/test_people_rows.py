"""Invitations through the store: pseudonyms, renewal, revocation, agreement, and their record."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from phraseproof.collect.store import CollectStore
from phraseproof.errors import CollectError
from support.collecting import LATER, LICENCE, small_project


def test_an_invitation_through_its_life(tmp_path: Path) -> None:
    store = CollectStore.create(tmp_path, small_project())
    ada = store.invite("Ada", expires=LATER, by="me")
    owner = store.invite("Boss", expires=LATER, role="owner")
    assert (ada.role, ada.revoked, ada.agreed_at, ada.expires) == ("annotator", None, None, LATER)
    assert store.invitations() == (ada, owner)
    assert store.invitation(ada.id) == ada == store.invitation_called(" ADA ")
    store.agree(ada.id, LICENCE)
    agreed = store.invitation(ada.id)
    assert agreed is not None
    assert agreed.licence == LICENCE
    store.agree(ada.id, LICENCE)
    assert store.invitation(ada.id) == agreed  # the first agreement counts
    store.revoke(ada.id)
    store.revoke(ada.id)
    revoked = store.invitation(ada.id)
    assert revoked is not None
    assert revoked.revoked is not None
    renewed = store.renew(ada.id, expires=LATER + timedelta(days=1))
    assert renewed.revoked is None
    assert renewed.token_id != ada.token_id
    assert [(each.by, each.action) for each in store.events() if each.subject == ada.id] == [
        ("me", "invited"),
        (ada.id, "agreed to the licence"),
        ("", "revoked"),
        ("", "renewed"),
    ]
    assert ada.token_id not in repr(ada)


def test_people_who_are_not_there(tmp_path: Path) -> None:
    store = CollectStore.create(tmp_path, small_project())
    store.invite("Ada", expires=LATER)
    with pytest.raises(CollectError, match=r"'aDa' is invited already"):
        store.invite("aDa", expires=LATER)
    with pytest.raises(CollectError, match=r"no one is called 'Eve' \(expected one of: Ada\)"):
        store.invitation_called("Eve")
    assert store.invitation("x") is None
    for act in (store.revoke, store.delete_person, lambda each: store.agree(each, LICENCE)):
        with pytest.raises(CollectError, match="there is no invitation 'x'"):
            act("x")
