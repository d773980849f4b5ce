"""10,000 requests with 64 in flight against a server on loopback: time, and memory after 1,000, 5,000 and 10,000.

python -m benchmarks.served_traffic
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

REQUESTS = 10_000
IN_FLIGHT = 64
PROMPT_WORDS = 300


def serve(connection: Connection) -> None:
    """Serve until the other end says so; then send how often requests came, and how many at once."""
    from support.fault_server import FaultServer, serving  # pyright: ignore[reportMissingImports] (in tests/)

    with serving(FaultServer(delay_s=0.4)) as server:
        connection.send(server.base_url)
        connection.recv()
        connection.send((server.requests.total(), len(server.requests), server.most_at_once))


def rss_mib() -> float:
    """The memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Send, count and print."""
    from phraseproof.models.openai.server import Server, ServerSettings

    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=serve, args=(there,))
    process.start()
    server = Server(ServerSettings(here.recv(), concurrency=IN_FLIGHT))
    bodies = [{"prompt": f"{number} " + "word " * PROMPT_WORDS, "max_tokens": 1} for number in range(REQUESTS)]
    print(f"before {rss_mib():.0f} MiB")
    began, seen = time.perf_counter(), set[int]()
    with tempfile.TemporaryDirectory() as folder, server.keeping_answers(Path(folder) / "answers.sqlite"):
        for index, _ in server.post_all("/completions", bodies):
            seen.add(index)
            if len(seen) in {1_000, 5_000, 10_000}:
                print(f"{len(seen):,} answers: {rss_mib():.0f} MiB, {time.perf_counter() - began:.1f} s")
    here.send("end")
    total, distinct, most = here.recv()
    process.join()
    print(f"the server counted {total:,} requests, {distinct:,} distinct, at most {most} at once")
    assert total == distinct == len(seen) == REQUESTS


if __name__ == "__main__":
    main()
