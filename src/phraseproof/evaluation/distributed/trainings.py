"""Trainings on workers: each is one task of a worker, whose checkpoints and result come back to this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from phraseproof.errors import ModelError, PhraseproofError, StoppedError
from phraseproof.evaluation.distributed.messages import (
    Event,
    FilePart,
    FolderWhole,
    NumberedTraining,
    Ready,
    Said,
    StopAll,
    TrainingDone,
    TrainingJob,
    TrainingSetup,
    WorkerFailed,
    WorkerLost,
    WorkerPool,
    versions,
)
from phraseproof.evaluation.distributed.pooled import WorkerSet
from phraseproof.evaluation.distributed.sent_folders import FolderReceiver, pack
from phraseproof.evaluation.observer import Observer
from phraseproof.training.folder import locked

MOST_LOSSES: Final = 3
"""A training fails after this number of lost workers that sent nothing of it."""

_PAUSE_S: Final = 1.0
_LOSSES_BEFORE_READY: Final = 3


def train_on_workers(jobs: Sequence[TrainingJob], workers: WorkerSet, observer: Observer) -> None:
    """Do trainings in parallel, as many at a time as there are workers.

    This process alone reads and writes their folders. What a lost worker had sent of a training is kept, and another
    one continues it from the last checkpoint that came. A training that fails leaves the others alone.

    Args:
        jobs: each with its own folder; a folder with an unfinished training is continued.
        workers: what trains.
        observer: notified of what workers say, and of those that are lost.

    Raises:
        PhraseproofError: the error of the first training that failed, after all others have ended.
        RunError: another process trains into one of the folders, or it cannot be written.
        StoppedError: no worker can work. What came of the trainings is kept.
        KeyboardInterrupt: Ctrl-C, likewise.
    """
    if not jobs:
        return
    setup = TrainingSetup(workers.options.default_device, versions(trains=True))
    with ExitStack() as stack:
        for job in jobs:
            stack.enter_context(locked(job.folder))
        receivers = [FolderReceiver(job.folder) for job in jobs]
        observer.noted(f"trainings for workers: {len(jobs)}")
        pool = stack.enter_context(workers.open_pool(workers.options, setup, observer))
        _Trainings(pool, [_Training(*each) for each in zip(jobs, receivers, strict=True)], observer).through()


@dataclass(eq=False)
class _Training:
    """A training and what became of it so far."""

    job: TrainingJob
    received: FolderReceiver
    losses: int = 0
    error: PhraseproofError | None = None
    is_done: bool = False


@dataclass(eq=False)
class _Hands:
    """The training of a living worker."""

    number: int | None = None
    is_ready: bool = False


class _Trainings:
    """The scheduler: a worker has one training at a time."""

    def __init__(self, pool: WorkerPool, trainings: Sequence[_Training], observer: Observer) -> None:
        self._pool, self._trainings, self._observer = pool, trainings, observer
        self._waiting = deque(range(len(trainings)))
        self._workers: dict[int, _Hands] = {}
        self._refused: list[str] = []
        self._losses_in_a_row = 0

    def through(self) -> None:
        try:
            while self._waiting or any(hands.number is not None for hands in self._workers.values()):
                self._start_workers()
                self._give()
                for worker, events in self._pool.receive(_PAUSE_S):
                    for event in events:
                        self._take(worker, event)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"stopped: {self._kept()}; the same command continues from there") from None
        except StoppedError as error:
            raise error.with_hint(f"{self._kept()}; the same command continues from there") from error
        finally:
            for each in self._trainings:
                each.received.forget()
        failed = [each for each in self._trainings if each.error is not None]
        for each in failed[1:]:
            self._observer.warned(f"{each.job.title} failed: {each.error}")
        if failed and failed[0].error is not None:
            raise failed[0].error

    def _kept(self) -> str:
        done = sum(each.is_done and each.error is None for each in self._trainings)
        return (
            f"{done} of {len(self._trainings)} trainings are done, and the checkpoints of the others that came are kept"
        )

    def _start_workers(self) -> None:
        busy = sum(hands.number is not None for hands in self._workers.values())
        wanted = min(self._pool.wanted() - len(self._refused), busy + len(self._waiting))
        if wanted <= 0 and not self._workers:
            raise StoppedError(self._refused[0] if self._refused else "there is no room for a worker")
        while len(self._workers) < wanted:
            self._workers[self._pool.start()] = _Hands()

    def _give(self) -> None:
        for worker, hands in self._workers.items():
            if self._waiting and hands.is_ready and hands.number is None:
                hands.number = self._waiting.popleft()
                job = self._trainings[hands.number].job
                self._pool.send(worker, [NumberedTraining(hands.number, job, pack(job.folder, self._pool.put))])

    def _take(self, worker: int, event: Event) -> None:
        hands = self._workers.get(worker)
        if hands is None:  # ended by us
            return
        match event:
            case Ready():
                hands.is_ready = True
                self._losses_in_a_row = 0
            case Said(kind, text):
                (self._observer.warned if kind == "warned" else self._observer.noted)(text)
            case FilePart(number, name, is_first, data):
                self._trainings[number].received.take(name, data, is_first=is_first)
            case FolderWhole(number, names):
                self._trainings[number].received.commit(names)
                self._trainings[number].losses = 0
            case TrainingDone(number, error):
                hands.number = None
                self._end(self._trainings[number], error)
            case WorkerFailed(reason):
                self._refuse(worker, reason)
            case WorkerLost(reason):
                self._losses_in_a_row += 1
                if self._losses_in_a_row > _LOSSES_BEFORE_READY * max(2, self._pool.wanted()):
                    raise StoppedError(f"workers end again and again before they train anything: {reason}")
                self._put_back(worker, reason)
            case StopAll(error):
                raise error
            case _:  # of evaluations
                pass

    def _refuse(self, worker: int, reason: str) -> None:
        """End a worker that cannot train, because of its versions or as its disk is full: others do what it had."""
        self._refused.append(reason)
        self._pool.stop(worker)
        number = self._workers.pop(worker).number
        if number is not None:
            self._trainings[number].received.forget()
            self._waiting.appendleft(number)
        if self._workers:
            self._observer.warned(f"worker {worker} failed: {reason}; the others do its trainings")

    def _put_back(self, worker: int, reason: str) -> None:
        """What a worker trained is continued by another one, from what it had sent."""
        number = self._workers.pop(worker).number
        if number is None:
            self._observer.warned(f"worker {worker} was lost: {reason}")
            return
        training = self._trainings[number]
        training.received.forget()
        training.losses += 1
        if training.losses < MOST_LOSSES:
            continued = f"{training.job.title} continues from the last checkpoint that came"
            self._observer.warned(f"worker {worker} was lost: {reason}; {continued}")
            self._waiting.appendleft(number)
        else:
            message = f"{training.losses} workers were lost while they trained it, the last one: {reason}"
            self._end(training, ModelError(message, where=training.job.title))

    def _end(self, training: _Training, error: PhraseproofError | None) -> None:
        training.is_done, training.error = True, error
        left = sum(not each.is_done for each in self._trainings)
        if error is None:
            self._observer.noted(f"{training.job.title}: done; trainings that are left: {left}")
