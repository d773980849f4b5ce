"""Requests to a server: repeated where that may help, with waits that grow."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Generator
from typing import Any

import httpx
import pytest

from phraseproof.errors import ModelError, UsageError
from phraseproof.models.openai.server import Server, ServerSettings


def response(status: int, body: object, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(json.dumps(body).encode()))


def answering(monkeypatch: pytest.MonkeyPatch, *responses: httpx.Response) -> list[httpx.Request]:
    """Let every client be answered by these, one after the other; returns what was asked."""
    asked: list[httpx.Request] = []
    left = iter(responses)

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return next(left)

    plain = httpx.AsyncClient

    def client(**asked_for: Any) -> httpx.AsyncClient:
        asked_for["transport"] = httpx.MockTransport(handle)
        return plain(**asked_for)

    monkeypatch.setattr(httpx, "AsyncClient", client)
    return asked


SETTINGS = ServerSettings(base_url="http://server/v1", first_wait_s=0.001, concurrency=1)


def test_a_busy_server_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    good = response(200, {"choices": [{"text": "A"}]})
    asked = answering(monkeypatch, response(429, {}, {"retry-after": "0"}), response(503, {}), good)
    ((index, answer),) = Server(SETTINGS).post_all("/completions", [{"prompt": "?"}])
    assert (index, answer) == (0, {"text": "A"})
    assert [str(request.url) for request in asked] == ["http://server/v1/completions"] * 3


def test_a_refusal_is_not_repeated_and_names_the_servers_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, response(404, {"error": {"message": "no such model"}}))
    with pytest.raises(ModelError, match="HTTP 404") as caught:
        list(Server(SETTINGS).post_all("/completions", [{}]))
    assert "no such model" in str(caught.value)
    assert len(asked) == 1


@contextlib.contextmanager
def dripping(first: bytes, then: bytes, *, pause_s: float = 0.05) -> Generator[str]:
    """A server that sends some bytes at once, and then the same few again and again."""
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def answer() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(first)
                    while not stopped.wait(pause_s):
                        connection.sendall(then)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        stopped.set()
        listener.close()


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\n", b"x-more: y\r\n"),
    ],
)
def test_an_answer_that_comes_byte_by_byte_is_given_up_in_time(first: bytes, then: bytes) -> None:
    with dripping(first, then) as url:
        before = time.perf_counter()
        with pytest.raises(ModelError, match=r"did not answer within 0.4 s \(tried 1 times\)"):
            list(Server(ServerSettings(url, timeout_s=0.4, retries=0)).post_all("/completions", [{}]))
        assert time.perf_counter() - before < 3


def test_leaving_early_cancels_what_is_under_way() -> None:
    good = b'HTTP/1.1 200 OK\r\ncontent-length: 28\r\n\r\n{"choices": [{"text": "A"}]}'
    with dripping(good, b"") as url:
        answers = Server(ServerSettings(url, timeout_s=60, retries=0, concurrency=2)).post_all("/x", [{}] * 9)
        before = time.perf_counter()
        assert next(answers) == (0, {"text": "A"})
        answers.close()  # type: ignore[attr-defined]
        assert time.perf_counter() - before < 3


def test_a_key_that_no_header_can_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-\u00e9")
    with pytest.raises(UsageError, match="MY_KEY: the key holds characters"):
        Server(SETTINGS._replace(key_variable="MY_KEY"))
