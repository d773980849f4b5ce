"""Cookies: who a visitor is, and the secret that protects forms from other sites (CSRF). The server keeps none."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from itsdangerous import BadData, URLSafeSerializer
from starlette.requests import Request
from starlette.responses import Response

from phraseproof.collect.invitations import InvitationError, invitation_named
from phraseproof.collect.records import Invitation, Role
from phraseproof.collect.rows import now
from phraseproof.collect.store import CollectStore

MAX_COOKIE = 1_000
"""The maximum length of a cookie that is read."""
_SECONDS = 60 * 60 * 24 * 90
_NONCE_BYTES = 16
_NAME_DIGITS = 8


class Sessions:
    """Makes and checks cookies: signed, HttpOnly, SameSite=Strict, and Secure behind TLS.

    An annotator and an owner have separate cookies, so that owners can try an annotator's link in the same browser.
    Cookies of different projects have different names, because browsers send a host's cookies to all its ports.

    Args:
        key: the project's key.
        is_secure: the form's address begins with https.
    """

    def __init__(self, key: bytes, *, is_secure: bool) -> None:
        self._key = key
        self._is_secure = is_secure
        # Public: one cannot compute the key from it.
        self._project = hmac.new(key, b"names of cookies", hashlib.sha256).hexdigest()[:_NAME_DIGITS]
        self._signer = URLSafeSerializer(
            key, salt="phraseproof.collect.session", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def cookie(self, name: str) -> str:
        """The full name of a cookie. Browsers accept `__Host-` only from the same host, with TLS."""
        return f"{'__Host-' if self._is_secure else ''}phraseproof-{self._project}-{name}"

    def start(self, response: Response, invitation: Invitation) -> None:
        """Let the browser that gets this response act for an invitation until the invitation ends."""
        value = self._signer.dumps([invitation.id, invitation.token_id])
        left = int((invitation.expires - now()).total_seconds())
        self._set(response, invitation.role, value, max(1, min(left, _SECONDS)))

    def end(self, response: Response, role: Role) -> None:
        """Forget who the visitor is."""
        response.delete_cookie(self.cookie(role), path="/", secure=self._is_secure, httponly=True, samesite="strict")

    def invitation(self, request: Request, store: CollectStore, role: Role) -> Invitation | None:
        """The invitation that a request acts for in a role; `None` without a cookie.

        Raises:
            InvitationError: the cookie is forged, or the invitation was revoked, renewed, deleted or has expired.
        """
        value = request.cookies.get(self.cookie(role))
        if not value:
            return None
        if len(value) > MAX_COOKIE:
            raise InvitationError("forged")
        try:
            payload: object = self._signer.loads(value)
        except BadData:
            raise InvitationError("forged") from None
        invitation = invitation_named(store, payload)
        if invitation.role != role:
            raise InvitationError("revoked")
        return invitation

    def visit(self, request: Request) -> str | None:
        """The secret of this browser, which its forms repeat; `None` on its first visit."""
        value = request.cookies.get(self.cookie("visit"), "")
        if not value or len(value) > MAX_COOKIE:
            return None
        try:
            nonce = self._signer.loads(value, salt="phraseproof.collect.visit")
        except BadData:
            return None
        return nonce if isinstance(nonce, str) else None

    def start_visit(self, response: Response, nonce: str) -> None:
        """Give the browser the secret that its forms repeat."""
        self._set(response, "visit", self._signer.dumps(nonce, salt="phraseproof.collect.visit"), _SECONDS)

    def choose_language(self, response: Response, code: str) -> None:
        """Keep the language that a visitor chose."""
        self._set(response, "language", code, _SECONDS)

    @staticmethod
    def new_visit() -> str:
        """A secret for a browser that has none."""
        return secrets.token_hex(_NONCE_BYTES)

    def csrf_token(self, nonce: str) -> str:
        """What a form of this browser holds."""
        return hmac.new(self._key, f"csrf:{nonce}".encode(), hashlib.sha256).hexdigest()

    def is_csrf_token(self, nonce: str | None, token: str) -> bool:
        """Whether a form is one that we gave this browser, compared in constant time."""
        return nonce is not None and hmac.compare_digest(self.csrf_token(nonce).encode(), token.encode())

    def _set(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(
            self.cookie(name),
            value,
            max_age=seconds,
            path="/",
            secure=self._is_secure,
            httponly=True,
            samesite="strict",
        )
