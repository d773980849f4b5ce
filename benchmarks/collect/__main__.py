"""Many annotators write at once: requests per second, waiting times, and whether every text is stored.

`phraseproof collect serve` runs as a process of its own on loopback. Every annotator opens a link, agrees, opens the
form, and writes all rows: each row is saved three times, as the script of the form does at pauses, with a preview and
the similarity to all other texts. Then the task is submitted. Annotators begin within `--ramp` seconds and think for a
random time of at most `--pause` seconds before each save. At the end the database is compared with what was sent.

`python -m benchmarks.collect` needs the extra `collect` and httpx.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import httpx

from phraseproof.collect.invitations import link_of
from phraseproof.collect.rows import now
from phraseproof.collect.store import CollectStore

TASK = "everyday/tickets"
VERBS = ("Decide", "Say", "Choose", "Show me", "Find out", "Work out", "Name", "Point to", "Please pick", "Guess")
NOUNS = ("team", "department", "queue", "group", "desk", "category", "label", "topic", "person", "office")
ENDS = (
    "for this message",
    "that should answer",
    "which fits best",
    "in one word",
    "that can help",
    "for this customer",
)
CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')


class Load:
    """What happened: seconds by kind of request, and texts that the server said it saved."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)
        self.refused = 0
        self.saved: dict[tuple[str, str, int], str] = {}

    async def ask(self, kind: str, call: httpx.Request, client: httpx.AsyncClient) -> httpx.Response:
        started = time.perf_counter()
        answer = await client.send(call)
        self.seconds[kind].append(time.perf_counter() - started)
        if answer.status_code >= 400:
            self.refused += 1
        return answer


async def annotate(name: str, link: str, load: Load, options: argparse.Namespace) -> None:
    """One annotator, from the link to the submission."""
    draw = random.Random(name)
    await asyncio.sleep(draw.random() * options.ramp)
    base = link.partition("/i/")[0]
    async with httpx.AsyncClient(timeout=600) as client:
        page = await load.ask("open the link", client.build_request("GET", link), client)
        csrf = CSRF.search(page.text)
        assert csrf, page.text[:300]
        fields = {"csrf": csrf[1]}
        await load.ask("agree", client.build_request("POST", link, data={**fields, "agree": "yes"}), client)
        await load.ask("open the form", client.build_request("GET", f"{base}/tasks/1"), client)
        for kind in ("zero-shot", "few-shot"):
            for row in range(1, options.rows + 1):
                whole = f"{draw.choice(VERBS)} the {draw.choice(NOUNS)} {draw.choice(ENDS)}, {name} {kind} {row}"
                for base_revision, share in enumerate((0.4, 0.8, 1.0)):
                    await asyncio.sleep(draw.random() * options.pause)
                    text = whole[: round(len(whole) * share)]
                    data = {**fields, "row.text": text, "row.base": str(base_revision)}
                    call = client.build_request("POST", f"{base}/tasks/1/{kind}/{row}", data=data)
                    if (await load.ask("save and preview", call, client)).status_code == 200:
                        load.saved[name, kind, row] = text
        await load.ask("submit", client.build_request("POST", f"{base}/tasks/1/submit", data=fields), client)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--annotators", type=int, default=200)
    parser.add_argument("--rows", type=int, default=6, help="per table")
    parser.add_argument("--ramp", type=float, default=20.0, help="seconds in which annotators begin")
    parser.add_argument("--pause", type=float, default=4.0, help="the longest pause before a save, in seconds")
    options = parser.parse_args([] if __name__ != "__main__" else None)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder) / "project", options)


def measure(folder: Path, options: argparse.Namespace) -> None:
    """Serve a new project, let all annotators write, and compare."""
    rows = ("--zero-shot", str(options.rows), "--few-shot", str(options.rows))
    arguments = ("collect", "serve", TASK, "--out", str(folder), "--port", "0", *rows)
    command = (sys.executable, "-m", "phraseproof", *arguments)
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    try:
        base = server.stdout.readline().strip().removeprefix("owner: ").partition("/i/")[0]
        with CollectStore.open(folder) as store:
            people = [
                store.invite(f"Annotator {number}", expires=now() + timedelta(days=1))
                for number in range(1, options.annotators + 1)
            ]
            links = {person.pseudonym: link_of(folder, person, base) for person in people}
        load = Load()
        started = time.perf_counter()
        asyncio.run(_all(links, load, options))
        seconds = time.perf_counter() - started
    finally:
        server.terminate()
        server.wait(timeout=60)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    report(load, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
    compare(folder, load, options)


async def _all(links: dict[str, str], load: Load, options: argparse.Namespace) -> None:
    await asyncio.gather(*(annotate(name, link, load, options) for name, link in links.items()))


def report(load: Load, seconds: float, cpu: float, megabytes: float) -> None:
    """Print the waiting times."""
    total = sum(map(len, load.seconds.values()))
    print(f"{total:,} requests in {seconds:.0f} s, {total / seconds:.0f} per second, {load.refused} refused")
    print(f"the server used {cpu:.0f} s of CPU time ({1000 * cpu / total:.1f} ms per request) and {megabytes:.0f} MB")
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    for kind, values in load.seconds.items():
        cuts = statistics.quantiles(values, n=100, method="inclusive")  # never above the longest
        print(
            f"{kind:18} {len(values):6,}  median {1000 * statistics.median(values):6.0f} ms"
            f"  95 % {1000 * cuts[94]:6.0f} ms  longest {1000 * max(values):6.0f} ms"
        )


def compare(folder: Path, load: Load, options: argparse.Namespace) -> None:
    """Print whether the database holds every text that the server said it saved, each once, and submitted."""
    with CollectStore.open(folder) as store:
        names = {each.id: each.pseudonym for each in store.invitations()}
        stored = {(names[each.invitation_id], each.kind, each.row): each for each in store.wordings()}
    lost = [place for place, text in load.saved.items() if place not in stored or stored[place].text != text]
    submitted = sum(each.status == "submitted" for each in stored.values())
    asked = options.annotators * options.rows * 2
    print(f"{asked:,} texts asked, {len(load.saved):,} saved, {len(lost)} lost, {submitted:,} submitted")
    if lost or len(load.saved) != asked or submitted != asked:
        sys.exit("something is lost")


if __name__ == "__main__":
    main()
