"""The link of the owner, which `collect serve` prints."""

from __future__ import annotations

from datetime import timedelta

from phraseproof.collect.invitations import link_of
from phraseproof.collect.rows import now
from phraseproof.collect.store import CollectStore

OWNER = "owner"
"""The pseudonym of the first owner."""
OWNER_DAYS = 365
"""How long the first owner's link is valid."""


def owner_link(store: CollectStore, base_url: str) -> str:
    """The link of the project's first owner, who is invited if there is none; an expired or revoked one is renewed."""
    moment = now()
    expires = moment + timedelta(days=OWNER_DAYS)
    owners = [each for each in store.invitations() if each.role == "owner"]
    valid = next((each for each in owners if each.revoked is None and each.expires > moment), None)
    if valid is None:
        valid = (
            store.renew(owners[0].id, expires=expires) if owners else store.invite(OWNER, expires=expires, role="owner")
        )
    return link_of(store.folder, valid, base_url)
