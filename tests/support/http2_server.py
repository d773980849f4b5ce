"""A `FaultServer` that speaks HTTP/2 over TLS, as hosted services do, with the faults that only HTTP/2 has."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import subprocess
from collections.abc import Generator
from importlib import import_module
from pathlib import Path
from typing import Any

from support.fault_server import Fault, FaultServer, answer_to, said_in, serving


class Http2Server(FaultServer):
    """Answers every connection by HTTP/2.

    Further kinds of `Fault`: `stream` (RST_STREAM in place of an answer) and `away` (GOAWAY, then the end of the
    connection, on which other requests may wait).

    Attributes:
        connections: how many there were.
        most_streams: the largest number of requests at the same time on one connection.
    """

    connections = 0
    most_streams = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        self.connections += 1
        settings = _h2("config").H2Configuration(client_side=False)
        connection = _Connection(self, _h2("connection").H2Connection(config=settings), writer)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await connection.serve(reader)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            writer.close()

    def fault_of(self, text: str) -> Fault | None:
        """Count a request; how it fails, if it does."""
        self.requests[text] += 1
        return self._fault(text, self.requests[text], self.requests.total())


class _Connection:
    def __init__(self, server: Http2Server, state: Any, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._state = state
        self._writer = writer
        self._bodies: dict[int, bytes] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_open = True

    async def serve(self, reader: asyncio.StreamReader) -> None:
        events = _h2("events")
        self._state.initiate_connection()
        await self._flush()
        while self._is_open and (data := await reader.read(65536)):
            for event in self._state.receive_data(data):
                if isinstance(event, events.RequestReceived):
                    self._bodies[event.stream_id] = b""
                elif isinstance(event, events.DataReceived):
                    self._bodies[event.stream_id] += event.data
                    self._state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, events.StreamEnded):
                    self._server.most_streams = max(self._server.most_streams, len(self._bodies))
                    task = asyncio.ensure_future(self._answer(event.stream_id))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
            await self._flush()

    async def _answer(self, stream: int) -> None:
        body = json.loads(self._bodies[stream])
        text = said_in(body)
        fault = self._server.fault_of(text)
        await asyncio.sleep(0.01)
        del self._bodies[stream]
        with contextlib.suppress(_h2("exceptions").ProtocolError, ConnectionError):
            if fault is not None and fault.kind == "away":
                self._state.close_connection(error_code=2, last_stream_id=0)
                await self._flush()
                self._is_open = False
                self._writer.close()
            elif fault is not None and fault.kind == "stream":
                self._state.reset_stream(stream, error_code=2)
                await self._flush()
            else:
                await self._send(stream, answer_to(body), fault)
                self._server.answered[text] += fault is None

    async def _send(self, stream: int, answer: dict[str, Any], fault: Fault | None) -> None:
        content = json.dumps(answer).encode() if fault is None else b"{}"
        status = 200 if fault is None else fault.status
        headers = [(":status", str(status)), *(fault.headers if fault else ()), ("content-length", str(len(content)))]
        self._state.send_headers(stream, headers)
        self._state.send_data(stream, content, end_stream=True)
        await self._flush()

    async def _flush(self) -> None:
        self._writer.write(self._state.data_to_send())
        await self._writer.drain()


def _h2(name: str) -> Any:
    """A module of the package h2, which an extra installs: type checkers may not find it."""
    return import_module(f"h2.{name}")


def certificate(folder: Path) -> Path:
    """A certificate with its key in one file, for 127.0.0.1."""
    key, found = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(found), "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    found.write_text(found.read_text() + key.read_text())
    return found


@contextlib.contextmanager
def serving_http2(server: Http2Server, certificate_file: Path) -> Generator[Http2Server]:
    """Serve by HTTP/2 on loopback from another thread within the block."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file)
    context.set_alpn_protocols(["h2"])
    with serving(server, tls=context):
        yield server
