"""Bodies of any size and packing: read whole, or refused in one line."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import httpx
import pytest

from phraseproof.models.openai import response_body
from phraseproof.models.openai.response_body import MAX_BYTES, BodyError, read_body, read_json


def body_of(content: bytes, encoding: str = "") -> bytes:
    async def read() -> bytes:
        transport = httpx.MockTransport(
            lambda _: httpx.Response(200, headers={"content-encoding": encoding}, stream=httpx.ByteStream(content))
        )
        async with httpx.AsyncClient(transport=transport) as client, client.stream("POST", "http://server/") as answer:
            return await read_body(answer)

    return asyncio.run(read())


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("", b"text"),
        ("identity", b"text"),
        ("gzip", gzip.compress(b"text", mtime=0)),
        ("deflate", zlib.compress(b"text")),
    ],
)
def test_what_was_packed_is_unpacked(encoding: str, packed: bytes) -> None:
    assert body_of(packed, encoding) == b"text"


def test_a_small_body_that_unpacks_to_a_huge_one_is_refused() -> None:
    packed = gzip.compress(bytes(MAX_BYTES + 1), compresslevel=9)
    assert len(packed) < 100_000
    with pytest.raises(BodyError, match=r"too large .expected at most 64 MiB"):
        body_of(packed, "gzip")


def test_a_huge_body_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_body, "MAX_BYTES", 1000)
    with pytest.raises(BodyError, match="too large"):
        body_of(bytes(1001))


@pytest.mark.parametrize(
    ("encoding", "packed", "message"),
    [
        ("gzip", b"no gzip", "cannot be unpacked"),
        ("gzip", gzip.compress(b"text", mtime=0)[:-9], "cut off"),
        ("br", b"text", "packs its answer by 'br'"),
    ],
)
def test_what_cannot_be_unpacked_is_refused(encoding: str, packed: bytes, message: str) -> None:
    with pytest.raises(BodyError, match=message):
        body_of(packed, encoding)


@pytest.mark.parametrize("body", [b"[" * 200_000, b"9" * 5000, b"no json", b"\xff"])
def test_what_is_not_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (the message is Python's)
        read_json(body)
