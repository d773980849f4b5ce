"""The files of a batch's answers: one JSON object per line, read line by line, because a file may be large."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import BinaryIO, NamedTuple, cast

from phraseproof.models.openai.response_body import MAX_BYTES, read_json


class BatchLine(NamedTuple):
    """What a batch's file says of one request.

    Attributes:
        key: of the request; empty if the line names none of ours.
        status: the HTTP status of the answer; 0 if the request was not answered.
        body: of the answer.
        error: what is said in place of an answer; empty if nothing is.
    """

    key: bytes
    status: int
    body: object
    error: str


def is_whole(file: BinaryIO) -> bool:
    """Whether the last line is complete: it ends, or is JSON."""
    end = file.seek(0, 2)
    if not end:
        return True
    file.seek(end - 1)
    if file.read(1) == b"\n":
        return True
    return all(_object(last) is not None for last in deque(_lines(file), maxlen=1))


def lines(file: BinaryIO) -> Iterator[BatchLine | None]:
    """The lines; `None` for one that is not an object, or longer than an answer may be."""
    for text in _lines(file):
        found = _object(text)
        yield None if found is None else _line(found)


def contradicted(file: BinaryIO) -> set[bytes]:
    """The requests to which the file holds several answers that differ."""
    said: dict[bytes, bytes] = {}
    found: set[bytes] = set()
    for line in lines(file):
        if line is None or not line.key:
            continue
        digest = blake2b(repr((line.status, line.body, line.error)).encode(errors="replace"), digest_size=8).digest()
        if said.setdefault(line.key, digest) != digest:
            found.add(line.key)
    return found


def _lines(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while text := file.readline(MAX_BYTES):
        if len(text) == MAX_BYTES and not text.endswith(b"\n"):
            while (rest := file.readline(MAX_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield b""
        elif text.strip():
            yield text


def _object(text: bytes) -> Mapping[str, object] | None:
    try:
        value = read_json(text)
    except ValueError:
        return None
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else None


def _line(found: Mapping[str, object]) -> BatchLine:
    response = _mapping(found.get("response"))
    status = response.get("status_code")
    error = found.get("error")
    return BatchLine(
        _key(found.get("custom_id")),
        status if isinstance(status, int) and not isinstance(status, bool) else 0,
        response.get("body"),
        "" if not error else str(_mapping(error).get("code") or error)[:100],
    )


def _key(custom_id: object) -> bytes:
    try:
        return bytes.fromhex(custom_id) if isinstance(custom_id, str) else b""
    except ValueError:
        return b""


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}
