"""A server of OpenAI's protocol on loopback that fails in every way that a network and a server can.

On `completions` it echoes prompts with log-probabilities that follow from the text (`logprob_of`); on
`chat/completions` its first tokens and its answers follow from the text (`first_tokens_of`, `text_of`). So tests know
every right score. Files and batches are answered by `BatchDesk` (`support/batch_desk.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gzip
import json
import math
import re
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import ssl

    from support.batch_desk import BatchDesk

TOKEN = re.compile(r"\s*\S+|\s+")


class Fault(NamedTuple):
    """A failure in place of an answer.

    Attributes:
        kind: `status`, `reset` (before any byte), `cut` (in the middle of the body), `half` (half of the JSON, with a
            right length), `drip` (a byte now and then), `bomb` (small, and huge when unpacked), or `body`: an answer
            that `change` makes of the right one. The server does nothing of what was requested; only with `lost` it
            does, and resets the connection.
    """

    kind: str
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    change: Callable[[Any], object] = dict


def logprob_of(token: str, place: int) -> float:
    """Between -4 and -3: options of several words and kinds never add up to more than 1."""
    return -3.0 - (zlib.crc32(f"{place} {token}".encode()) % 100_000) / 100_000


def right_answer(prompt: str) -> dict[str, Any]:
    """The echo of a prompt with one generated token."""
    tokens = TOKEN.findall(prompt)
    values: list[float | None] = [logprob_of(token, place) for place, token in enumerate(tokens)]
    values[0] = None
    logprobs = {"tokens": [*tokens, " next"], "token_logprobs": [*values, -1.0]}
    choice = {"index": 0, "text": prompt + " next", "logprobs": logprobs, "finish_reason": "length"}
    return {"choices": [choice], "usage": {"prompt_tokens": len(tokens), "completion_tokens": 1}}


def first_tokens_of(text: str) -> dict[str, float]:
    """The probabilities of the most probable first tokens of an answer."""
    even = 0.1 + 0.7 * share_of(text)
    return {"even": 0.75 * even, " even": 0.25 * even, "odd": 0.85 - even, "The": 0.1}


def text_of(text: str) -> str:
    """The answer to a text."""
    return "It is even." if share_of(text) > 0.5 else "odd"


def share_of(text: str) -> float:
    """A number from 0 to 1 that follows from the text."""
    return zlib.crc32(text.encode()) / 2**32


def chat_answer(body: dict[str, Any]) -> dict[str, Any]:
    """The answer to a chat, with the first tokens if they are requested."""
    text = body["messages"][-1]["content"]
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
    choice["message"] = {"role": "assistant", "content": text_of(text)}
    if body.get("logprobs"):
        listed: list[dict[str, Any]] = [
            {"token": token, "logprob": math.log(value)} for token, value in first_tokens_of(text).items()
        ]
        listed.sort(key=lambda token: -token["logprob"])
        choice["logprobs"] = {"content": [{**listed[0], "top_logprobs": listed[: body["top_logprobs"]]}]}
    return {"choices": [choice], "usage": {"prompt_tokens": len(TOKEN.findall(text)), "completion_tokens": 1}}


def answer_to(body: dict[str, Any]) -> dict[str, Any]:
    """The right answer to a request of either endpoint."""
    return chat_answer(body) if "messages" in body else right_answer(body["prompt"])


def said_in(body: dict[str, Any]) -> str:
    """The text by which a request is counted."""
    return body["messages"][-1]["content"] if "messages" in body else body["prompt"]


@functools.cache
def _bomb() -> bytes:
    return gzip.compress(b" " * (80 * 2**20), 9)


class FaultServer:
    """Counts what it is sent, and answers.

    Args:
        fault: for a request's text and the number of requests with this text so far (from 1), and the number of all:
            how it fails; `None` answers.
        delay_s: how long an answer takes.
        desk: answers the requests of the batch API; they are counted as `POST files`, `GET batch` and so on.

    Attributes:
        base_url: the address.
        requests: how often each text was sent.
        answered: how often each text was answered right and in full.
        most_at_once: the largest number of requests at the same time.
    """

    def __init__(
        self,
        fault: Callable[[str, int, int], Fault | None] = lambda *_: None,
        *,
        delay_s: float = 0.0,
        desk: BatchDesk | None = None,
    ) -> None:
        self._desk = desk
        self._fault = fault
        self._delay_s = delay_s
        self._inside = 0
        self.base_url = ""
        self.requests: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.most_at_once = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._answer(reader, writer):
                pass
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path = head.split(" ", 2)[:2]
        content = await _body(head.lower(), reader)
        if path.endswith("/completions"):
            body = json.loads(content)
            text = said_in(body)

            def right() -> dict[str, Any] | bytes:
                return answer_to(body)
        else:
            assert self._desk is not None
            text, right = self._desk.asked(method, path.removeprefix("/v1/"), content)
        self.requests[text] += 1
        self._inside += 1
        self.most_at_once = max(self.most_at_once, self._inside)
        try:
            fault = self._fault(text, self.requests[text], self.requests.total())
            if self._delay_s:
                await asyncio.sleep(self._delay_s)
            return await self._reply(text, right, fault, writer)
        finally:
            self._inside -= 1

    async def _reply(
        self, text: str, right: Callable[[], Any], fault: Fault | None, writer: asyncio.StreamWriter
    ) -> bool:
        headers = dict(fault.headers) if fault else {}
        kind = fault.kind if fault else "right"
        answer: Any = {} if kind in {"status", "reset", "bomb"} else right()
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        if kind in {"reset", "lost"}:
            writer.transport.abort()
            return False
        if kind == "bomb":
            body, headers["content-encoding"] = _bomb(), "gzip"
        elif kind == "half":
            body = body[: len(body) // 2]
        elif kind == "status":
            body = b'{"error": {"message": "a failure on purpose"}}'
        elif kind == "body" and fault is not None:
            body = json.dumps(fault.change(answer)).encode()
        lines = [f"HTTP/1.1 {fault.status if fault else 200} X", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        if kind == "drip":
            for byte in body:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.05)
        if kind == "cut":
            writer.write(body[: len(body) // 2])
            await writer.drain()
            return False
        writer.write(body)
        await writer.drain()
        self.answered[text] += kind == "right"
        return True


async def _body(head: str, reader: asyncio.StreamReader) -> bytes:
    if "transfer-encoding: chunked" in head:
        parts: list[bytes] = []
        while size := int(await reader.readline(), 16):
            parts.append((await reader.readexactly(size + 2))[:-2])
        await reader.readline()
        return b"".join(parts)
    found = re.findall(r"content-length: (\d+)", head)
    return await reader.readexactly(int(found[0])) if found else b""


@contextlib.contextmanager
def serving(server: FaultServer, *, tls: ssl.SSLContext | None = None) -> Generator[FaultServer]:
    """Serve on loopback from another thread within the block, over TLS if a context is given."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(server.handle, "127.0.0.1", 0, limit=2**22, ssl=tls)

    async def stop(listening: asyncio.Server) -> None:
        listening.close()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    listening = asyncio.run_coroutine_threadsafe(start(), loop).result()
    scheme = "http" if tls is None else "https"
    server.base_url = f"{scheme}://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(stop(listening), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
