"""The process of a worker: it computes in a thread, and is kept from one evaluation or training to the next."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from phraseproof.errors import PhraseproofError, RunError, StoppedError
from phraseproof.evaluation.distributed.kept_model import KeptModel
from phraseproof.evaluation.distributed.messages import (
    Event,
    FilePart,
    NumberedTraining,
    NumberedUnit,
    Ready,
    Setup,
    StopAll,
    TrainingDone,
    TrainingSetup,
    UnitDone,
    Work,
    WorkerFailed,
)
from phraseproof.evaluation.distributed.sent_folders import Fetch
from phraseproof.evaluation.distributed.training_worker import TrainingWorker
from phraseproof.evaluation.distributed.unit_worker import UnitWorker
from phraseproof.evaluation.score_cells import JOURNAL_INTERVAL_S
from phraseproof.scoring.patterns import SlowPatternError

MOST_PARTS: Final = 8
"""A worker waits with further parts of files while this number of them is not fetched."""


@dataclass
class _Session:
    """One evaluation, or some trainings."""

    setup: Setup | TrainingSetup
    measures: bool
    work: queue.SimpleQueue[Work | None] = field(default_factory=queue.SimpleQueue["Work | None"])
    events: queue.SimpleQueue[Event] = field(default_factory=queue.SimpleQueue[Event])
    is_over: bool = False

    def send(self, event: Event) -> None:
        while isinstance(event, FilePart) and not self.is_over and self.events.qsize() >= MOST_PARTS:
            time.sleep(0.01)
        if not self.is_over:
            self.events.put(event)


class WorkerServer:
    """Works in a thread, while its owner fetches events and gives further work.

    Args:
        fetch: returns the data of the parts of folders that are sent to it.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._model = KeptModel(fetch)
        self._session: _Session | None = None
        self._sessions: queue.SimpleQueue[_Session] = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def begin(self, setup: Setup | TrainingSetup, *, measures: bool = False) -> list[Event]:
        """Turn to another evaluation, or to trainings. What the worker was at is ended and not sent.

        Args:
            setup: what is needed for it.
            measures: measure the error of half precision first.

        Returns:
            As `exchange`.
        """
        if self._session is not None:
            self._session.is_over = True
            self._session.work.put(None)
        self._session = _Session(setup, measures)
        self._sessions.put(self._session)
        return self.exchange([])

    def exchange(self, work: Sequence[Work]) -> list[Event]:
        """Take work; returns what was sent since the last call, after a wait of at most `JOURNAL_INTERVAL_S`.

        It returns early when the worker could run out of work.
        """
        session = self._session
        assert session is not None, "`begin` comes first"
        for each in work:
            session.work.put(each)
        found: list[Event] = []
        ends = time.monotonic() + JOURNAL_INTERVAL_S
        while (left := ends - time.monotonic()) > 0:
            try:
                found.append(session.events.get(timeout=left))
            except queue.Empty:
                break
            if isinstance(found[-1], UnitDone) and session.work.empty():
                break
            if isinstance(found[-1], Ready | TrainingDone | WorkerFailed | StopAll) or len(found) >= MOST_PARTS:
                break
        while not session.events.empty() and not (found and isinstance(found[-1], FilePart)):
            found.append(session.events.get())
        return found

    def close(self) -> None:
        """Remove what the worker has written. It is not used afterwards."""
        self._model.close()

    def _work(self) -> None:
        while True:
            self._serve(self._sessions.get())

    def _serve(self, session: _Session) -> None:
        try:
            if isinstance(session.setup, TrainingSetup):
                self._model.drop()
                trainer = TrainingWorker(session.setup, session.send, self._fetch)
                trainer.prepare()
                while (each := session.work.get()) is not None:
                    assert isinstance(each, NumberedTraining)
                    trainer.train(each)
            else:
                worker = UnitWorker(session.setup, session.send, self._model, measures=session.measures)
                worker.prepare()
                while (each := session.work.get()) is not None:
                    assert isinstance(each, NumberedUnit)
                    worker.compute(each)
        except (RunError, StoppedError, SlowPatternError) as error:
            session.send(StopAll(error))
        except PhraseproofError as error:
            session.send(WorkerFailed(str(error)))
        except Exception as error:  # noqa: BLE001 - whatever it was, the other workers continue
            session.send(WorkerFailed(" ".join(f"{type(error).__name__}: {error}".split())))
