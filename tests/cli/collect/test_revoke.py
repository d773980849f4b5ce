"""`collect revoke` ends links and leaves wordings."""

from __future__ import annotations

from phraseproof.collect.store import CollectStore

from .conftest import Collect


def test_revoked_people_keep_their_wordings(collect: Collect, opened: CollectStore) -> None:
    done = collect("revoke", "ada")
    assert (done.code, done.err) == (0, "note: the link of Ada is revoked\n")
    assert opened.invitation_called("Ada").revoked is not None
    assert len(opened.wordings()) == 4
    assert collect("revoke", "Ben", "Eve").code == 2
    assert opened.invitation_called("Ben").revoked is None
