"""Headers of every response: of pages, static files and answers to faults."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from phraseproof.web.headers import POLICY, SecurityHeaders


async def _page(request: Request) -> PlainTextResponse:
    if request.url.path == "/fault":
        raise ZeroDivisionError
    return PlainTextResponse("ok")


def _client(*, is_secure: bool) -> TestClient:
    app = Starlette(routes=[Route(path, _page) for path in ("/", "/fault", "/static/a.css")])
    return TestClient(SecurityHeaders(app, is_secure=is_secure), raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("path", "status", "cache"),
    [
        ("/", 200, "no-store"),
        ("/static/a.css", 200, "no-cache"),
        ("/none", 404, "no-store"),
        ("/fault", 500, "no-store"),
    ],
)
def test_every_answer_has_them(path: str, status: int, cache: str) -> None:
    answer = _client(is_secure=False).get(path)
    assert answer.status_code == status
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == cache
    assert "strict-transport-security" not in answer.headers


def test_a_secure_address_is_insisted_on() -> None:
    assert _client(is_secure=True).get("/").headers["strict-transport-security"] == "max-age=31536000"
