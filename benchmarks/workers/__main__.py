"""What workers of Ray gain and cost: `python -m benchmarks.workers`, with the model `scripted` at a fixed delay.

The delay stands for the time of a device: a worker that sleeps takes no core, so more workers than cores can be tried.
Start-up and work are timed apart: work is from the first outcome to the last one.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import phraseproof
from phraseproof.evaluation.distributed.worker_options import WorkerOptions
from phraseproof.models import ModelOptions


class Clock:
    """An observer that notes when outcomes come."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.first = self.last = 0.0
        self.before_first = self.prompts = 0

    def noted(self, message: str) -> None: ...

    def warned(self, message: str) -> None:
        print(f"  {message}")

    def started(self, *, total: int, done: int) -> None: ...

    def advanced(self, prompts: int) -> None:
        self.last = time.perf_counter()
        if not self.first:
            self.first, self.before_first = self.last, prompts
        self.prompts += prompts


class Timed(NamedTuple):
    """One evaluation.

    Attributes:
        whole_s: of the call.
        start_s: until the first outcomes.
        per_second: outcomes after the first ones, per second.
        cpu_s: of this process.
    """

    whole_s: float
    start_s: float
    per_second: float
    cpu_s: float


def write_project(folder: Path, examples: int, wordings: int) -> None:
    rows = "".join(f"item {n},{'even' if n % 2 == 0 else 'odd'}\n" for n in range(examples))
    (folder / "items.csv").write_text("item,parity\n" + rows)
    (folder / "task.yaml").write_text(
        "name: parity\nkind: binary\ndata: items.csv\nfields: {item: item}\nchoices: [even, odd]\nanswer: parity\n"
    )
    found = "".join(
        f"  - {{id: w{n}, template: 'Wording {n}: {{{{ item }}}}', answer: text}}\n" for n in range(wordings)
    )
    (folder / "wordings.yaml").write_text(f"name: parities\ninstructions:\n{found}")


def timed(
    folder: Path, out: str, *, delay_s: float, device: str = "cpu", workers: WorkerOptions | None = None
) -> Timed:
    clock, before = Clock(), time.process_time()
    phraseproof.evaluate(
        "scripted",
        str(folder / "task.yaml"),
        {"mine": str(folder / "wordings.yaml")},
        folder / out,
        model_options=ModelOptions(device=device, args={"delay_s": str(delay_s)}),
        workers=workers,
        observer=clock,
    )
    whole = time.perf_counter() - clock.began
    left = clock.prompts - clock.before_first
    rate = left / (clock.last - clock.first) if clock.last > clock.first else float("nan")
    return Timed(whole, clock.first - clock.began, rate, time.process_time() - before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4], help="numbers of workers")
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--wordings", type=int, default=40)
    parser.add_argument("--delay", type=float, default=0.02, help="seconds for each prompt")
    given = parser.parse_args(None if __name__ == "__main__" else [])
    prompts = given.examples * given.wordings
    tokens = 7.25  # of a prompt, as they are estimated
    print(f"{prompts} prompts of {given.delay} s each, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_project(folder, given.examples, given.wordings)
        print(f"{'':24} {'whole':>8} {'start':>8} {'prompts/s':>10} {'gain':>6} {'CPU here':>9}")
        alone = timed(folder, "alone", delay_s=given.delay)
        show("one process", alone, alone)
        show("--device cpu,cpu", timed(folder, "devices", delay_s=given.delay, device="cpu,cpu"), alone)
        for count in given.workers:
            options = WorkerOptions(count=count, unit_tokens=round(given.examples * tokens))
            show(f"--workers local:{count}", timed(folder, f"w{count}", delay_s=given.delay, workers=options), alone)
        print("\nwithout a delay, two workers: what a unit costs")
        rates: list[tuple[int, float]] = []
        for per_unit in (given.examples, 1):
            options = WorkerOptions(count=2, unit_tokens=round(per_unit * tokens))
            found = timed(folder, f"u{per_unit}", delay_s=0.0, workers=options)
            units = prompts // per_unit
            rates.append((units, prompts / found.per_second))
            print(f"{units:6} units of {per_unit:4} prompts: {found.per_second:8.0f} prompts/s")
        (few, short), (many, long) = rates
        print(f"each unit more costs {1000 * (long - short) / (many - few):.2f} ms")


def show(name: str, found: Timed, alone: Timed) -> None:
    gain = found.per_second / alone.per_second
    times = f"{found.whole_s:6.1f} s {found.start_s:6.1f} s"
    print(f"{name:24} {times} {found.per_second:10.1f} {gain:6.2f} {found.cpu_s:7.1f} s", flush=True)


if __name__ == "__main__":
    main()
