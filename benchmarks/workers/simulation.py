"""Simulates the scheduler with many workers: `python -m benchmarks.workers.simulation`.

The scheduler is the real one (`evaluation/distributed/dispatch.py`), and so are the division into units, the journals
and the files of cells. Only workers and time are simulated: an event queue says when a worker has computed what, and
the clock advances by the CPU time that the scheduler itself takes. So the simulation shows when this one process,
through which all outcomes pass, keeps workers waiting.
"""

from __future__ import annotations

import argparse
import heapq
import pickle
import random
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from phraseproof.core import Cell, Example, Instruction, Kind, Outcome, Task
from phraseproof.evaluation.distributed.dispatch import Dispatcher, Records
from phraseproof.evaluation.distributed.messages import Event, NumberedUnit, Ready, Rows, UnitDone, Work, WorkerLost
from phraseproof.evaluation.distributed.units import CellWork, Unit, divide
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.evaluation.plan import PlannedCell
from phraseproof.evaluation.score_cells import ScoredCell
from phraseproof.instructions.template import compile_instruction
from phraseproof.store.journal import StoredOutcome
from phraseproof.store.usage import Usage
from phraseproof.store.writer import RunStore


@dataclass
class Setting:
    """What is simulated.

    Attributes:
        workers: their number.
        tokens_per_s: of each worker.
        tokens: of each prompt.
        unit_tokens: the size of a unit.
        units: how many there are per worker.
        load_s: from the start of a worker to its first unit.
        hours_to_loss: the mean time after which a worker is lost.
        sends_rows: outcomes pass through this process; else workers store them, and only report.
    """

    workers: int
    tokens_per_s: float = 50_000.0
    tokens: float = 400.0
    unit_tokens: float = 524_288.0
    units: int = 4
    load_s: float = 60.0
    hours_to_loss: float = 200.0
    sends_rows: bool = True


@dataclass
class _Worker:
    units: deque[NumberedUnit] = field(default_factory=deque[NumberedUnit])
    busy_until: float = 0.0
    busy_s: float = 0.0
    dies_at: float = 0.0
    is_dead: bool = False


class SimulatedPool:
    """Workers whose time is simulated.

    Attributes:
        now: the simulated time, in seconds.
        driver_s: the CPU time that the scheduler took.
        lost: how many workers were lost.
        delay_s: the sum of the times that events waited for the scheduler.
    """

    def __init__(self, setting: Setting, planned: Sequence[PlannedCell], seed: int) -> None:
        self._setting, self._planned = setting, planned
        self._random = random.Random(seed)
        self._workers: dict[int, _Worker] = {}
        self._events: list[tuple[float, int, int, bytes]] = []
        self._order = 0
        self._left_at = time.process_time()
        self.now = self.driver_s = self.delay_s = 0.0
        self.lost = self.received = 0

    def wanted(self) -> int:
        return self._setting.workers

    def start(self, *, measures: bool = False) -> int:
        assert not measures, "no half precision here"
        number = len(self._workers) + 1
        worker = _Worker(busy_until=self.now + self._setting.load_s * self._random.uniform(0.8, 1.5))
        worker.dies_at = self.now + 3600 * self._random.expovariate(1 / self._setting.hours_to_loss)
        self._workers[number] = worker
        self._push(worker.busy_until, number, Ready((), None))
        self._push(worker.dies_at, number, WorkerLost("simulated"))
        return number

    def put(self, data: bytes) -> object:
        return data

    def send(self, worker: int, work: Sequence[Work]) -> None:
        found, began = self._workers[worker], time.process_time()
        now = self.now + began - self._left_at
        for unit in work:
            assert isinstance(unit, NumberedUnit)
            self._compute(worker, found, unit, max(now, found.busy_until))
        self._left_at += time.process_time() - began  # the workers' time, not the scheduler's

    def receive(self, timeout_s: float) -> list[tuple[int, list[Event]]]:
        spent = time.process_time() - self._left_at
        self.driver_s += spent
        self.now += spent
        if not self._events or self._events[0][0] > self.now:
            self.now = min(self.now + timeout_s, self._events[0][0]) if self._events else self.now + timeout_s
        arrived: list[tuple[int, bytes]] = []
        while self._events and self._events[0][0] <= self.now:
            at, _, number, event = heapq.heappop(self._events)
            worker = self._workers[number]
            if worker.is_dead:
                continue
            if at >= worker.dies_at:
                worker.is_dead = True
                self.lost += 1
            self.delay_s += self.now - at
            self.received += 1
            arrived.append((number, event))
        self._left_at = time.process_time()
        return [(number, [pickle.loads(event)]) for number, event in arrived]

    def stop(self, worker: int) -> None:
        self._workers[worker].is_dead = True

    @property
    def busy_s(self) -> float:
        """The time that all workers computed."""
        return sum(worker.busy_s for worker in self._workers.values())

    def _compute(self, number: int, worker: _Worker, unit: NumberedUnit, begins: float) -> None:
        per_prompt = self._setting.tokens / self._setting.tokens_per_s * self._random.uniform(0.9, 1.3)
        at = begins
        for part in unit.unit:
            examples = self._planned[part.cell].task.examples
            places = list(part.examples)
            step = max(1, round(1.0 / per_prompt))  # outcomes are sent every second
            for start in range(0, len(places), step):
                some = places[start : start + step]
                at += per_prompt * len(some)
                if self._setting.sends_rows:
                    self._push(at, number, Rows(part.cell, [_outcome(examples[place]) for place in some]))
        self._push(at, number, UnitDone(unit.number, {}))
        worker.busy_s += at - begins
        worker.busy_until = at

    def _push(self, at: float, worker: int, event: Event) -> None:
        self._order += 1
        heapq.heappush(self._events, (at, self._order, worker, pickle.dumps(event)))


def _outcome(example: Example) -> StoredOutcome:
    outcome = Outcome(
        example_id=example.id,
        score=1.0,
        options=example.choices,
        option_logprobs=(-0.51, -0.92, -2.3, -3.1),
        option_tokens=(1, 1, 1, 1),
        option_credits=example.option_scores,
        predicted=0,
        target=0,
        prompt_tokens=400,
        computed_tokens=404,
    )
    return StoredOutcome(outcome, Usage(0.001, 0.001, 1600, 404))


def plan(setting: Setting) -> tuple[list[PlannedCell], list[Unit]]:
    """Cells of 1,000 examples under as many wordings as the workers need, and their units."""
    prompts = round(setting.workers * setting.units * setting.unit_tokens / setting.tokens)
    examples = tuple(
        Example(f"e{n}", {"question": "x"}, ("a", "b", "c", "d"), (1.0, 0.0, 0.0, 0.0)) for n in range(1000)
    )
    task = Task("t", Kind.MULTIPLE_CHOICE, "c", examples, data="d")
    wording = compile_instruction(Instruction(id="w", collection="c", template="{{ question }}", answer="{{ choice }}"))
    planned = [
        PlannedCell(Cell(f"{n:032x}", "t", "c", f"c/w{n}", "g", 0, 0, 1000), task, wording)
        for n in range(max(1, prompts // 1000))
    ]
    cells = [CellWork(n, "t", range(1000), setting.tokens, f"{n:06} wording") for n in range(len(planned))]
    return planned, divide(cells, setting.unit_tokens)


def simulate(setting: Setting, folder: Path, seed: int = 0) -> str:
    """Simulate a run; returns a line of the table."""
    planned, units = plan(setting)
    pool = SimulatedPool(setting, planned, seed)
    store = RunStore(folder, {})
    store.register([each.cell for each in planned], {})
    rows = 0

    def settle(each: PlannedCell, result: ScoredCell | Exception) -> None:
        if setting.sends_rows:
            assert isinstance(result, ScoredCell)
            store.write(each.cell, result.outcomes, result.usage)

    def journal(cell: Cell, found: Sequence[StoredOutcome]) -> None:
        if setting.sends_rows:
            store.append(cell, found)

    def done(prompts: int) -> None:
        nonlocal rows
        rows += prompts

    records = Records(
        settle, journal, lambda _checks, _measured: None, lambda _size: None, done, lambda _rescored: None
    )
    Dispatcher(pool, planned, {index: {} for index in range(len(planned))}, records, SilentObserver()).through(units)
    span = pool.now - setting.load_s  # before, workers load the model
    used = pool.busy_s / (setting.workers * span)
    shares = f"{100 * used:9.0f} % {100 * pool.driver_s / span:8.0f} %"
    costs = f"{1e6 * pool.driver_s / rows:10.1f} {pool.delay_s / pool.received:9.2f} {pool.lost:6}"
    return f"{setting.workers:8} {len(units):7} {rows:10} {pool.now:9.0f} {shares} {costs}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="*", default=[8, 32, 128, 512])
    parser.add_argument("--unit-tokens", type=float, default=524_288.0)
    parser.add_argument("--units", type=int, default=3, help="for each worker")
    parser.add_argument("--tokens-per-s", type=float, default=50_000.0)
    parser.add_argument("--hours-to-loss", type=float, default=200.0)
    parser.add_argument("--no-rows", action="store_true", help="workers store what they compute")
    given = parser.parse_args()
    print(
        f"{'workers':>8} {'units':>7} {'outcomes':>10} {'time, s':>9} {'workers used':>11} "
        f"{'driver used':>10} {'us/outcome':>10} {'wait, s':>9} {'lost':>6}"
    )
    for workers in given.workers:
        setting = Setting(
            workers,
            unit_tokens=given.unit_tokens,
            units=given.units,
            tokens_per_s=given.tokens_per_s,
            hours_to_loss=given.hours_to_loss,
            sends_rows=not given.no_rows,
        )
        with tempfile.TemporaryDirectory() as name:
            print(simulate(setting, Path(name)), flush=True)


if __name__ == "__main__":
    main()
