"""A pool of workers in this process: one unit per call, in a known order, and losses where a test wants them."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from phraseproof.errors import PhraseproofError, RunError, StoppedError
from phraseproof.evaluation.distributed.messages import (
    Event,
    NumberedUnit,
    Setup,
    StopAll,
    WorkerFailed,
    WorkerLost,
)
from phraseproof.evaluation.distributed.pooled import PooledWorkers
from phraseproof.evaluation.distributed.unit_worker import UnitWorker
from phraseproof.evaluation.distributed.worker_options import WorkerOptions
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.request import EvaluationRequest
from phraseproof.evaluation.resolve import resolve
from phraseproof.evaluation.run import Evaluation

Mishap = Callable[[int, list[Event]], list[Event]]
"""Changes what a worker sends; a list that ends with `WorkerLost` ends the worker."""


@dataclass
class _Worker:
    worker: UnitWorker
    events: list[Event]
    units: deque[NumberedUnit] = field(default_factory=deque[NumberedUnit])
    is_prepared: bool = False


@dataclass
class InlinePool:
    """Computes when events are asked for: each living worker in turn loads its model or computes one unit."""

    room: int = 2
    mishap: Mishap = lambda _worker, events: events
    setup: Setup | None = None
    given: dict[int, NumberedUnit] = field(default_factory=dict[int, NumberedUnit])
    started: list[int] = field(default_factory=list[int])
    measuring: list[int] = field(default_factory=list[int])
    most_in_hand: list[int] = field(default_factory=list[int])
    is_open: bool = False
    _living: dict[int, _Worker] = field(default_factory=dict[int, _Worker])

    @contextmanager
    def open(self, options: WorkerOptions, setup: Setup, observer: Observer) -> Generator[InlinePool]:
        # As data, as every pool sends it.
        self.setup = pickle.loads(pickle.dumps(setup))
        self.is_open = True
        try:
            yield self
        finally:
            self.is_open = False
            self._living.clear()

    def wanted(self) -> int:
        return self.room

    def start(self, *, measures: bool = False) -> int:
        assert self.setup is not None
        number = len(self.started) + 1
        self.started.append(number)
        if measures:
            self.measuring.append(number)
        events: list[Event] = []
        self._living[number] = _Worker(UnitWorker(self.setup, events.append, measures=measures), events)
        return number

    def send(self, worker: int, units: Sequence[NumberedUnit]) -> None:
        self._living[worker].units += pickle.loads(pickle.dumps(list(units)))
        self.most_in_hand.append(len(self._living[worker].units))
        self.given |= {unit.number: unit for unit in units}

    def receive(self, timeout_s: float) -> list[tuple[int, list[Event]]]:
        found: list[tuple[int, list[Event]]] = []
        for number, each in list(self._living.items()):
            try:
                if not each.is_prepared:
                    each.worker.prepare()
                    each.is_prepared = True
                elif each.units:
                    each.worker.compute(each.units.popleft())
            except (RunError, StoppedError) as error:
                each.events.append(StopAll(error))
            except PhraseproofError as error:
                each.events.append(WorkerFailed(str(error)))
            events = self.mishap(number, pickle.loads(pickle.dumps(each.events)))
            each.events.clear()
            if events and isinstance(events[-1], WorkerLost):
                del self._living[number]
            found.append((number, events))
        return found

    def stop(self, worker: int) -> None:
        self._living.pop(worker, None)


def planned_for(
    project: Path, pool: InlinePool, *, unit_tokens: int | None = None, model: str = "scripted", **changes: object
) -> Evaluation:
    """An evaluation of a project's task whose workers are those of the pool."""
    request = EvaluationRequest.of(
        model, str(project / "task.yaml"), {"mine": str(project / "wordings.yaml")}, **changes
    )
    evaluation = resolve(request)
    options = WorkerOptions(count=pool.room, unit_tokens=unit_tokens)

    def divided(one: Evaluation) -> Evaluation:
        loading = replace(request.spec.model_options, dtype=one.model.identity.dtype or "auto")
        return replace(one, workers=PooledWorkers(one, model, loading, options, pool.open))

    return replace(divided(evaluation), further=tuple(map(divided, evaluation.further)))
