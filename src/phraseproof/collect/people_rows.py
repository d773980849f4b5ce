"""The statements of invitations and of the record of events; each runs within a transaction of `store.py`."""

from __future__ import annotations

import secrets
import sqlite3
from datetime import datetime

from phraseproof.collect.records import Invitation, Role, folded_pseudonym
from phraseproof.collect.rows import invitation_from, now, stored_time
from phraseproof.errors import CollectError


def invitation(connection: sqlite3.Connection, invitation_id: str) -> Invitation:
    """An invitation.

    Raises:
        CollectError: there is none.
    """
    row = connection.execute("SELECT * FROM invitations WHERE id = ?", (invitation_id,)).fetchone()
    if row is None:
        raise CollectError(f"there is no invitation {invitation_id!r}")
    return invitation_from(row)


def invite(connection: sqlite3.Connection, pseudonym: str, role: Role, expires: datetime, *, by: str) -> Invitation:
    """Add an invitation; see `CollectStore.invite`."""
    if connection.execute("SELECT 1 FROM invitations WHERE folded = ?", (folded_pseudonym(pseudonym),)).fetchone():
        raise CollectError(f"{pseudonym!r} is invited already", hint="Take another pseudonym, or renew the link")
    new = (_new_id(), pseudonym, folded_pseudonym(pseudonym), role, _new_id(), stored_time(now()), stored_time(expires))
    connection.execute("INSERT INTO invitations VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)", new)
    note_event(connection, by, "invited", new[0], role)
    return invitation(connection, new[0])


def renew(connection: sqlite3.Connection, invitation_id: str, expires: datetime, *, by: str) -> Invitation:
    """Replace the link; see `CollectStore.renew`."""
    invitation(connection, invitation_id)
    connection.execute(
        "UPDATE invitations SET token_id = ?, expires = ?, revoked = NULL WHERE id = ?",
        (_new_id(), stored_time(expires), invitation_id),
    )
    note_event(connection, by, "renewed", invitation_id, "")
    return invitation(connection, invitation_id)


def revoke(connection: sqlite3.Connection, invitation_id: str, *, by: str) -> None:
    """Stop the link; see `CollectStore.revoke`."""
    if invitation(connection, invitation_id).revoked is None:
        connection.execute("UPDATE invitations SET revoked = ? WHERE id = ?", (stored_time(now()), invitation_id))
        note_event(connection, by, "revoked", invitation_id, "")


def agree(connection: sqlite3.Connection, invitation_id: str, licence: str, *, by: str) -> None:
    """Note an agreement; see `CollectStore.agree`."""
    if invitation(connection, invitation_id).licence != licence:
        moment = stored_time(now())
        connection.execute(
            "UPDATE invitations SET agreed_at = ?, licence = ? WHERE id = ?", (moment, licence, invitation_id)
        )
        note_event(connection, by, "agreed to the licence", invitation_id, licence)


def delete_person(connection: sqlite3.Connection, invitation_id: str, stand_in: str) -> int:
    """Delete what a person wrote, and the person's id from what stays; see `CollectStore.delete_person`."""
    invitation(connection, invitation_id)
    query = "SELECT id FROM wordings WHERE invitation_id = ?"
    wordings = [row["id"] for row in connection.execute(query, (invitation_id,))]
    connection.executemany("DELETE FROM events WHERE subject = ?", [(each,) for each in (invitation_id, *wordings)])
    connection.execute("UPDATE events SET by = ? WHERE by = ?", (stand_in, invitation_id))
    connection.execute("DELETE FROM invitations WHERE id = ?", (invitation_id,))  # its wordings and their history too
    connection.execute("UPDATE revisions SET by = ? WHERE by = ?", (stand_in, invitation_id))
    note_event(connection, "", "deleted a person", "", f"{len(wordings)} wordings")
    return len(wordings)


def note_event(connection: sqlite3.Connection, by: str, action: str, subject: str, detail: str) -> None:
    """Add an event to the record."""
    connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", (stored_time(now()), by, action, subject, detail))


def _new_id() -> str:
    return secrets.token_hex(8)
