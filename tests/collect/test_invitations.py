"""Links: only those of this project, until they expire, are revoked or replaced."""

from __future__ import annotations

import os
import pickle
import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phraseproof.collect.invitations import KEY_FILE, InvitationError, invitation_of, key_of, token_of
from phraseproof.collect.store import CollectStore
from phraseproof.errors import CollectError
from support.collecting import LATER, project_with


def _reason(store: CollectStore, token: str, **options: object) -> str:
    with pytest.raises(InvitationError) as caught:
        invitation_of(store, token, **options)  # type: ignore[arg-type]
    return caught.value.reason


def test_a_token_leads_to_its_invitation_until_it_expires(tmp_path: Path) -> None:
    store, (ada, _) = project_with(tmp_path, "Ada", "Ben")
    token = token_of(tmp_path, ada)
    assert re.fullmatch(r"[\w.-]{60,200}", token)
    assert invitation_of(store, token).pseudonym == "Ada"
    assert invitation_of(store, token, at=LATER - timedelta(seconds=1)).id == ada.id
    assert _reason(store, token, at=LATER) == "expired"


def test_revoked_replaced_and_deleted_invitations_give_no_access(tmp_path: Path) -> None:
    store, (ada, ben, cid) = project_with(tmp_path, "Ada", "Ben", "Cid")
    tokens = [token_of(tmp_path, each) for each in (ada, ben, cid)]
    store.revoke(ada.id)
    renewed = store.renew(ben.id, expires=LATER)
    store.delete_person(cid.id)
    assert [_reason(store, each) for each in tokens] == ["revoked"] * 3
    assert invitation_of(store, token_of(tmp_path, renewed)).id == ben.id
    assert invitation_of(store, token_of(tmp_path, store.renew(ada.id, expires=LATER))).revoked is None


def test_forged_tokens_give_no_access(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path / "mine", "Ada")
    _, (other,) = project_with(tmp_path / "others", "Ada")
    token = token_of(store.folder, ada)
    payload, signature = token.rsplit(".", 1)

    @settings(max_examples=20)
    @given(st.text() | st.builds(lambda text: f"{payload}.{text}", st.text()))
    def forge(text: str) -> None:
        if text != token:
            assert _reason(store, text) == "forged"

    forge()
    # A change of any one character, also of the last one, whose lowest bits base64 ignores when it decodes.
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert _reason(store, changed) == "forged"
    assert _reason(store, token_of(tmp_path / "others", other)) == "forged"
    assert _reason(store, "a" * 100_000) == "forged"
    assert _reason(store, f"{payload[:-4]}.{signature}") == "forged"


def test_the_key_is_the_owners_alone(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path, "Ada")
    token = token_of(tmp_path, ada)
    key = tmp_path / KEY_FILE
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key_of(tmp_path)) == 32
    key.chmod(0o644)
    with pytest.raises(CollectError, match=r"others can read the key \(expected permissions 600, got 644\)"):
        invitation_of(store, token)
    key.chmod(0o600)
    key.write_bytes(b"short")
    with pytest.raises(CollectError, match="too short"):
        token_of(tmp_path, ada)
    key.unlink()  # ends all links
    token_of(tmp_path, ada)
    assert _reason(store, token) == "forged"
    with pytest.raises(CollectError, match="the key cannot be used"):
        key_of(tmp_path / "nowhere")


def test_the_error_crosses_processes() -> None:
    error = pickle.loads(pickle.dumps(InvitationError("expired")))
    assert (error.reason, str(error)) == ("expired", "the invitation has expired. Ask the owner for a new link")


def test_the_key_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[bytes, bool]] = []

    def fsync(descriptor: int) -> None:
        synced.append((Path(f"/proc/self/fd/{descriptor}").read_bytes(), (tmp_path / KEY_FILE).exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    key = key_of(tmp_path)
    assert synced == [(key, False)]
