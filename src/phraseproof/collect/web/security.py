"""What protects every request, whatever its page: origins, sizes of bodies, and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import anyio
from starlette.requests import ClientDisconnect, Request

MAX_BODY = 1_500_000
"""The maximum size of a request's body in bytes: all rows of a task at their greatest length."""
MAX_STRANGERS_BODY = 20_000
"""The same for visitors who have not entered."""
MAX_FIELDS = 2_000
"""The maximum number of fields of a form."""
MAX_DIGITS = 9
"""The maximum length of a number."""
BODY_SECONDS = 30
"""How long a body may take to arrive."""


class RefusedRequest(Exception):  # noqa: N818 (an answer, not a fault of ours)
    """A request that gets an error page.

    Attributes:
        status: the HTTP status.
        reason: which text the page shows (`texts.refusal`).
        detail: more about it, in English; else empty.
    """

    def __init__(self, status: int, reason: str, detail: str = "") -> None:
        self.status = status
        self.reason = reason
        self.detail = detail
        super().__init__(f"{status} {reason} {detail}".strip())


def require_same_origin(request: Request, base_url: str) -> None:
    """Refuse a change that another site's page asks for, before its form is read.

    Args:
        request: the request.
        base_url: the address under which people reach the form; a proxy may pass on a host without its port.

    Raises:
        RefusedRequest: the browser says that the request comes from elsewhere.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise RefusedRequest(403, "origin")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc not in (request.headers.get("host"), urlsplit(base_url).netloc):
        raise RefusedRequest(403, "origin")


def whole_number(text: str) -> int | None:
    """The number that a visitor sent, as 1 to 9 ASCII digits; `None` for everything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else None


async def read_form(request: Request, *, max_bytes: int = MAX_BODY) -> Mapping[str, str]:
    """The fields of a form's body of at most `max_bytes`; of a repeated field, the last value.

    Raises:
        RefusedRequest: too large, too slow, or not a form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise RefusedRequest(415, "form")
    announced = whole_number(request.headers.get("content-length", "0"))
    if announced is None or announced > max_bytes:
        raise RefusedRequest(413, "size")
    body = bytearray()
    try:
        with anyio.fail_after(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > max_bytes:
                    raise RefusedRequest(413, "size")
    except (TimeoutError, ClientDisconnect):
        raise RefusedRequest(408, "form") from None
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:  # also of bytes that are no text
        raise RefusedRequest(400, "form") from None
    return dict(fields)
