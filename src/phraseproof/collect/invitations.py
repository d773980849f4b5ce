"""Links: a signed token for each invitation, which expires and can be revoked. There are no accounts and no passwords.

The key is a file of the project's folder that only its owner can read. Who has the key can make links, so the folder is
what has to be protected.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from phraseproof.collect.records import Invitation
from phraseproof.collect.rows import now
from phraseproof.collect.store import CollectStore
from phraseproof.errors import CollectError, MissingExtraError
from phraseproof.files import read_utf8, write_text

if TYPE_CHECKING:
    from itsdangerous import URLSafeSerializer

KEY_FILE = "key"
"""The file of the key, in the project's folder."""
ADDRESS_FILE = "address"
"""The file of the address under which the form was last served."""
USUAL_ADDRESS = "http://127.0.0.1:8000"
"""Where the form is unless something else is chosen."""

_SALT = "phraseproof.collect.invitation"
_KEY_BYTES = 32
_MAX_TOKEN = 500

Refusal = Literal["forged", "revoked", "expired"]
_PROBLEMS: dict[Refusal, str] = {
    "forged": "the link is not one of this project's",
    "revoked": "the invitation was revoked",
    "expired": "the invitation has expired",
}


class InvitationError(CollectError):
    """A link that gives no access.

    Attributes:
        reason: `forged` (also cut or of another project), `revoked` (also replaced by a new link) or `expired`.
    """

    def __init__(self, reason: Refusal) -> None:
        self.reason: Refusal = reason
        super().__init__(_PROBLEMS[reason], hint=None if reason == "forged" else "Ask the owner for a new link")


def token_of(folder: Path, invitation: Invitation) -> str:
    """The token of an invitation's link: letters, digits, `-`, `_` and `.`.

    Raises:
        CollectError: the key cannot be read or written, or others can read it.
    """
    return _serializer(folder).dumps([invitation.id, invitation.token_id])


def link_of(folder: Path, invitation: Invitation, base_url: str) -> str:
    """The link that a person opens. Raises as `token_of` does."""
    return f"{base_url.rstrip('/')}/i/{token_of(folder, invitation)}"


def remember_address(folder: Path, base_url: str) -> None:
    """Note under which address the form is served, so that links made elsewhere lead to it."""
    write_text(folder / ADDRESS_FILE, f"{base_url}\n", error=CollectError)


def last_address(folder: Path) -> str | None:
    """The address under which the form was last served; None if it never was."""
    path = folder / ADDRESS_FILE
    return read_utf8(path, max_bytes=2_000).strip() or None if path.exists() else None


def invitation_of(store: CollectStore, token: str, *, at: datetime | None = None) -> Invitation:
    """The invitation that a token belongs to. Signatures and ids are compared in constant time.

    Args:
        store: the project.
        token: as `token_of` made it.
        at: the time of the visit; by default now.

    Raises:
        InvitationError: the token is forged, revoked, replaced or expired.
        CollectError: the key cannot be read, or others can read it.
    """
    from itsdangerous import BadData

    if len(token) > _MAX_TOKEN:
        raise InvitationError("forged")
    serializer = _serializer(store.folder)
    try:
        payload: object = serializer.loads(token)
    except BadData:
        raise InvitationError("forged") from None
    # Base64 has several forms of the same bytes; only the one that was handed out counts.
    if not hmac.compare_digest(serializer.dumps(payload).encode(), token.encode()):
        raise InvitationError("forged")
    return invitation_named(store, payload, at=at)


def invitation_named(store: CollectStore, payload: object, *, at: datetime | None = None) -> Invitation:
    """The invitation that the signed content of a link or a cookie names: its id, and the id of its token.

    Raises:
        InvitationError: it names none, or one that was revoked, renewed or deleted or has expired.
    """
    match payload:
        case [str(invitation_id), str(token_id)]:
            invitation = store.invitation(invitation_id)
        case _:
            raise InvitationError("forged")
    if invitation is None:  # of a person whose data was deleted
        raise InvitationError("revoked")
    if not hmac.compare_digest(invitation.token_id.encode(), token_id.encode()) or invitation.revoked is not None:
        raise InvitationError("revoked")
    if (now() if at is None else at) >= invitation.expires:
        raise InvitationError("expired")
    return invitation


def key_of(folder: Path) -> bytes:
    """The project's key, which is made at its first use.

    Raises:
        CollectError: it cannot be read or written, is too short, or others can read it.
    """
    path = folder / KEY_FILE
    try:
        if not path.exists():
            _make_key(path)
        mode = stat.S_IMODE(path.stat().st_mode)
        key = path.read_bytes()
    except OSError as error:
        raise CollectError(f"the key cannot be used: {error.strerror or error}", where=str(path)) from None
    if os.name == "posix" and mode & 0o077:
        raise CollectError(
            "others can read the key",
            expected="permissions 600",
            got=f"{mode:o}",
            where=str(path),
            hint="Delete the file, which ends all links, and renew the invitations",
        )
    if len(key) < _KEY_BYTES:
        raise CollectError("the key is too short", where=str(path), hint="Delete the file, which ends all links")
    return key


def _make_key(path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(_KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):  # of two processes, the first one's key counts
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _serializer(folder: Path) -> URLSafeSerializer:
    try:
        from itsdangerous import URLSafeSerializer
    except ImportError:
        raise MissingExtraError("collecting wordings", extra="collect", package="itsdangerous") from None
    return URLSafeSerializer(key_of(folder), salt=_SALT, signer_kwargs={"digest_method": hashlib.sha256})
