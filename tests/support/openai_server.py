"""A real HTTP server on loopback that speaks OpenAI's protocol, for tests: what it answers is a plain function."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Generator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """What the server sends back."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})


class Asked(NamedTuple):
    """What the server was sent."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


Answer = Callable[[Asked], Reply]


class Served(NamedTuple):
    """A running server."""

    base_url: str
    asked: list[Asked]


def chat_reply(text: str) -> Reply:
    """An answer of the chat endpoint."""
    return Reply({"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]})


@contextlib.contextmanager
def serve(answer: Answer) -> Generator[Served]:
    """Serve until the block ends; every request is kept in `asked`."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            received = Asked(
                self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(self.rfile.read(length))
            )
            asked.append(received)
            reply = answer(received)
            text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
            content = text.encode()
            with contextlib.suppress(ConnectionError):
                self.send_response(reply.status)
                for name, value in {"content-type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{server.server_port}/v1", asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
