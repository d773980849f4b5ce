"""What single answers mean: answered, refused, to be repeated, or the end."""

from __future__ import annotations

import json
import re
from pathlib import Path

import anyio
import httpx
import pytest

from phraseproof.errors import ModelError, StoppedError, UsageError
from phraseproof.models.openai.exchange import Exchange, ServerAnswer, new_client
from phraseproof.models.openai.retrying import TransientError
from phraseproof.models.openai.server_settings import ServerSettings

CHOICE = {"text": "A", "index": 0}


def posted(status: int, body: object, headers: dict[str, str] | None = None) -> ServerAnswer | ModelError:
    """What one request gives that is answered so."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def handle(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))

    async def post() -> ServerAnswer | ModelError:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as client:
            return await Exchange(client, ServerSettings("http://server/v1"), "sk-1").post("/completions", {})

    return anyio.run(post)


def test_an_answer_holds_its_choice_and_what_it_took() -> None:
    usage = {"prompt_tokens": 3}
    assert posted(200, {"choices": [CHOICE], "usage": usage}) == ServerAnswer(CHOICE, usage)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (400, {"error": "too long, sk-1"}, r"HTTP 400 \(got too long, \[the key\]\)"),
        (200, {"choices": [CHOICE, CHOICE]}, "several answers to one request"),
        (200, {"choices": [{"text": "B", "index": 1}]}, "belongs to another choice .expected index 0, got 1"),
        (200, {"error": {"message": "no such field"}}, "refuses the request .got no such field"),
        (200, [], "not of OpenAI's protocol"),
    ],
)
def test_what_concerns_one_request_is_its_error(status: int, body: object, message: str) -> None:
    found = posted(status, body)
    assert isinstance(found, ModelError)
    with pytest.raises(ModelError, match=message):
        raise found


@pytest.mark.parametrize(
    ("status", "body", "is_busy", "is_lost"),
    [
        (429, {}, True, False),
        (503, {}, True, False),
        (500, {}, False, False),
        (408, {}, False, False),
        (200, b'{"choices": [{"text"', False, True),
        (200, {"error": {"code": 429}}, True, False),
        (200, {"error": {"code": "502"}}, False, False),
    ],
)
def test_what_may_pass_says_what_it_means(status: int, body: object, is_busy: bool, is_lost: bool) -> None:
    with pytest.raises(TransientError) as caught:
        posted(status, body)
    assert (caught.value.is_busy, caught.value.is_lost) == (is_busy, is_lost)


@pytest.mark.parametrize(
    ("status", "headers", "message"),
    [
        (401, {}, "HTTP 401"),
        (403, {}, "HTTP 403 .*may not use this model"),
        (307, {"location": "http://elsewhere/v1"}, "redirects .HTTP 307.*got http://elsewhere/v1.*--base-url"),
        (429, {"retry-after": "86400"}, "asks for a pause of 86,400 s .expected at most 600 s"),
    ],
)
def test_what_concerns_every_request_ends_the_traffic(status: int, headers: dict[str, str], message: str) -> None:
    with pytest.raises(StoppedError, match=message):
        posted(status, {"error": "no"}, headers)


def test_a_quota_that_is_used_up_is_not_waited_for() -> None:
    with pytest.raises(StoppedError, match="quota"):
        posted(429, {"error": {"message": "quota exceeded", "code": "insufficient_quota"}})


def test_the_client_sends_the_key_and_follows_no_redirect() -> None:
    client = new_client("sk-1", 4)
    assert client.headers["authorization"] == "Bearer sk-1"
    assert not client.follow_redirects
    anyio.run(client.aclose)


def test_certificates_named_in_the_environment_are_the_ones_that_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anyio.run(new_client("", 4).aclose)
    for damaged in (tmp_path / "none.pem", tmp_path / "text.pem"):
        (tmp_path / "text.pem").write_text("no certificate")
        monkeypatch.setenv("SSL_CERT_FILE", str(damaged))
        with pytest.raises(UsageError, match=f"SSL_CERT_FILE={re.escape(str(damaged))}: the certificates"):
            new_client("", 4)


def test_more_time_that_comes_too_late_is_a_timeout_too() -> None:
    async def read(_: httpx.Response, scope: anyio.CancelScope) -> bytes:
        try:
            await anyio.sleep(60)
        finally:
            scope.deadline = anyio.current_time() + 60
        return b""

    async def run() -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, content=b"{}"))
        async with httpx.AsyncClient(transport=transport) as client:
            exchange = Exchange(client, ServerSettings("http://localhost/v1", timeout_s=0.05), "sk-1")
            await exchange.send(client.build_request("GET", "http://localhost/v1/files"), read=read)

    with pytest.raises(TransientError, match=r"the server did not answer within 0\.05 s"):
        anyio.run(run)
