"""A pool of workers in this process: one unit or training per call, in a known order, and losses where a test wants."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from phraseproof.errors import PhraseproofError, RunError, StoppedError
from phraseproof.evaluation.distributed.kept_model import KeptModel
from phraseproof.evaluation.distributed.messages import (
    Event,
    NumberedTraining,
    NumberedUnit,
    Setup,
    StopAll,
    TrainingSetup,
    Work,
    WorkerFailed,
    WorkerLost,
)
from phraseproof.evaluation.distributed.pooled import OpenPool, PooledWorkers
from phraseproof.evaluation.distributed.training_worker import TrainingWorker
from phraseproof.evaluation.distributed.unit_worker import UnitWorker
from phraseproof.evaluation.distributed.units import CellWork
from phraseproof.evaluation.distributed.worker_options import WorkerOptions
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.request import EvaluationRequest
from phraseproof.evaluation.resolve import resolve
from phraseproof.evaluation.run import Evaluation
from support.parity_project import write_project

Mishap = Callable[[int, list[Event]], list[Event]]
"""Changes what a worker sends; a list that ends with `WorkerLost` ends the worker."""


def fetch(data: object) -> bytes:
    assert isinstance(data, bytes)
    return data


@dataclass
class _Worker:
    worker: UnitWorker | TrainingWorker
    events: list[Event]
    work: deque[Work] = field(default_factory=deque["Work"])
    is_prepared: bool = False

    def do(self, each: Work) -> None:
        if isinstance(self.worker, UnitWorker):
            assert isinstance(each, NumberedUnit)
            self.worker.compute(each)
        else:
            assert isinstance(each, NumberedTraining)
            self.worker.train(each)


@dataclass
class InlinePool:
    """Computes when events are asked for: each living worker in turn loads its model or computes one unit."""

    room: int = 2
    mishap: Mishap = lambda _worker, events: events
    setup: Setup | TrainingSetup | None = None
    given: dict[int, Work] = field(default_factory=dict[int, "Work"])
    trained: list[int] = field(default_factory=list[int])
    started: list[int] = field(default_factory=list[int])
    measuring: list[int] = field(default_factory=list[int])
    most_in_hand: list[int] = field(default_factory=list[int])
    is_open: bool = False
    _living: dict[int, _Worker] = field(default_factory=dict[int, _Worker])

    @property
    def options(self) -> WorkerOptions:
        return WorkerOptions(count=self.room)

    @property
    def open_pool(self) -> OpenPool:
        return self.open

    def put(self, data: bytes) -> object:
        return data

    @contextmanager
    def open(self, options: WorkerOptions, setup: Setup | TrainingSetup, observer: Observer) -> Generator[InlinePool]:
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
        made = (
            TrainingWorker(self.setup, events.append, fetch)
            if isinstance(self.setup, TrainingSetup)
            else UnitWorker(self.setup, events.append, KeptModel(fetch), measures=measures)
        )
        self._living[number] = _Worker(made, events)
        return number

    def send(self, worker: int, work: Sequence[Work]) -> None:
        self._living[worker].work += pickle.loads(pickle.dumps(list(work)))
        self.most_in_hand.append(len(self._living[worker].work))
        self.given |= {each.number: each for each in work}
        self.trained += [each.number for each in work if isinstance(each, NumberedTraining)]

    def receive(self, timeout_s: float) -> list[tuple[int, list[Event]]]:
        found: list[tuple[int, list[Event]]] = []
        for number, each in list(self._living.items()):
            try:
                if not each.is_prepared:
                    each.worker.prepare()
                    each.is_prepared = True
                elif each.work:
                    each.do(each.work.popleft())
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


def setup_for(folder: Path, *, examples: int, wordings: int) -> Setup:
    """What workers of a small evaluation receive, with a self-test."""
    workers = planned_for(write_project(folder, examples=examples, wordings=wordings), InlinePool()).workers
    assert isinstance(workers, PooledWorkers)
    cells = [CellWork(place, "parity", range(examples), 10.0, "") for place in range(wordings)]
    return workers.setup(cells, self_test=True)
