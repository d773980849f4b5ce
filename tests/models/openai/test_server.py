"""Requests to a server: repeated where that may help, with waits that grow."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from phraseproof.errors import ModelError
from phraseproof.models.openai import server
from phraseproof.models.openai.server import Server, ServerSettings


def answering(monkeypatch: pytest.MonkeyPatch, *responses: httpx.Response) -> list[httpx.Request]:
    """Let every client be answered by these, one after the other; returns what was asked."""
    asked: list[httpx.Request] = []
    left = iter(responses)

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return next(left)

    plain = httpx.Client

    def client(**asked_for: Any) -> httpx.Client:
        asked_for["transport"] = httpx.MockTransport(handle)
        return plain(**asked_for)

    monkeypatch.setattr(httpx, "Client", client)
    return asked


SETTINGS = ServerSettings(base_url="http://server/v1", first_wait_s=0.001, concurrency=1)


def test_a_busy_server_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    good = httpx.Response(200, json={"choices": [{"text": "A"}]})
    asked = answering(monkeypatch, httpx.Response(429, headers={"retry-after": "0"}), httpx.Response(503), good)
    ((index, answer),) = Server(SETTINGS).post_all("/completions", [{"prompt": "?"}])
    assert (index, answer["choices"]) == (0, [{"text": "A"}])
    assert [str(request.url) for request in asked] == ["http://server/v1/completions"] * 3


def test_a_refusal_is_not_repeated_and_names_the_servers_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, httpx.Response(404, json={"error": {"message": "no such model"}}))
    with pytest.raises(ModelError, match="HTTP 404") as caught:
        list(Server(SETTINGS).post_all("/completions", [{}]))
    assert "no such model" in str(caught.value)
    assert len(asked) == 1


def test_a_wait_that_the_server_asks_for_is_read_in_seconds() -> None:
    assert server._retry_after_s(httpx.Response(429, headers={"retry-after": "2.5"})) == 2.5
    assert server._retry_after_s(httpx.Response(429, headers={"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"})) == 0.0
