"""A server of OpenAI's endpoint `completions` on loopback that fails in every way that a network and a server can.

It echoes prompts with log-probabilities that follow from the text (`logprob_of`), so that tests know every right score.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import re
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

TOKEN = re.compile(r"\s*\S+|\s+")


class Fault(NamedTuple):
    """A failure in place of an answer.

    Attributes:
        kind: `status`, `reset` (before any byte), `cut` (in the middle of the body), `half` (half of the JSON, with a
            right length), `drip` (a byte now and then), `bomb` (small, and huge when unpacked), or `body`: an answer
            that `change` makes of the right one.
    """

    kind: str
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    change: Callable[[dict[str, Any]], object] = dict


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


class FaultServer:
    """Counts what it is sent, and answers.

    Args:
        fault: for a request's text and the number of requests with this text so far (from 1), and the number of all:
            how it fails; `None` answers.
        delay_s: how long an answer takes.

    Attributes:
        base_url: the address.
        requests: how often each text was sent.
        answered: how often each text was answered right and in full.
        most_at_once: the largest number of requests at the same time.
    """

    def __init__(
        self, fault: Callable[[str, int, int], Fault | None] = lambda *_: None, *, delay_s: float = 0.0
    ) -> None:
        self._fault = fault
        self._delay_s = delay_s
        self._inside = 0
        self._bomb = gzip.compress(b" " * (80 * 2**20), 9)
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
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(re.findall(r"content-length: (\d+)", head)[0])
        prompt: str = json.loads(await reader.readexactly(length))["prompt"]
        self.requests[prompt] += 1
        self._inside += 1
        self.most_at_once = max(self.most_at_once, self._inside)
        try:
            fault = self._fault(prompt, self.requests[prompt], self.requests.total())
            if self._delay_s:
                await asyncio.sleep(self._delay_s)
            return await self._reply(prompt, fault, writer)
        finally:
            self._inside -= 1

    async def _reply(self, prompt: str, fault: Fault | None, writer: asyncio.StreamWriter) -> bool:
        right = right_answer(prompt)
        body = json.dumps(right).encode()
        headers = dict(fault.headers) if fault else {}
        kind = fault.kind if fault else "right"
        if kind == "reset":
            writer.transport.abort()
            return False
        if kind == "bomb":
            body, headers["content-encoding"] = self._bomb, "gzip"
        elif kind == "half":
            body = body[: len(body) // 2]
        elif kind == "status":
            body = b'{"error": {"message": "a failure on purpose"}}'
        elif kind == "body" and fault is not None:
            body = json.dumps(fault.change(right)).encode()
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
        self.answered[prompt] += kind == "right"
        return True


@contextlib.contextmanager
def serving(server: FaultServer) -> Generator[FaultServer]:
    """Serve on loopback from another thread within the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(server.handle, "127.0.0.1", 0, limit=2**22)

    async def stop(listening: asyncio.Server) -> None:
        listening.close()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    listening = asyncio.run_coroutine_threadsafe(start(), loop).result()
    server.base_url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(stop(listening), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
