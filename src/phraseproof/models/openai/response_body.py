"""A response's body, read up to a limit and unpacked up to a limit: a server may send anything."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

MAX_BYTES = 64 * 1024 * 1024
"""The maximum size of an answer: a prompt of 100,000 tokens with its log-probabilities takes about a sixth of it."""

ACCEPTED_ENCODINGS = "gzip, deflate"
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_KNOWN = {"", "identity", "gzip", "x-gzip", "deflate"}


class BodyError(ValueError):
    """A body that is too large, or packed in a way that was not accepted."""


async def read_body(response: httpx.Response) -> bytes:
    """The unpacked body.

    Raises:
        BodyError: it is larger than `MAX_BYTES`, packed or unpacked, or cannot be unpacked.
    """
    return b"".join([part async for part in unpacked(response, MAX_BYTES)])


async def unpacked(response: httpx.Response, most_bytes: int) -> AsyncGenerator[bytes]:
    """The parts of a body as they come, unpacked.

    Raises:
        BodyError: the body is larger than `most_bytes`, packed or unpacked, or cannot be unpacked.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in _KNOWN:
        raise BodyError(f"the server packs its answer by {encoding!r} (expected one of: {ACCEPTED_ENCODINGS})")
    unpacker = None if encoding in {"", "identity"} else zlib.decompressobj(_GZIP_OR_ZLIB)
    packed = total = 0
    async for chunk in response.aiter_raw():
        packed += len(chunk)
        try:
            part = chunk if unpacker is None else unpacker.decompress(chunk, most_bytes + 1 - total)
        except zlib.error:
            raise BodyError("the server's answer cannot be unpacked") from None
        total += len(part)
        if max(packed, total) > most_bytes:
            raise BodyError(f"the server's answer is too large (expected at most {most_bytes // 1024**2} MiB)")
        yield part
    if unpacker is not None and not unpacker.eof:
        raise BodyError("the server's answer is cut off")


def read_json(body: bytes) -> object:
    """The value that a body spells.

    Raises:
        ValueError: it is not JSON, nested too deeply, or holds a number of thousands of digits.
    """
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
