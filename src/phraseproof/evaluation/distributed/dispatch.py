"""Gives units to workers, collects their outcomes, and gives what a lost worker left to the others."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from phraseproof.core import Cell, Check
from phraseproof.errors import ModelError, StoppedError
from phraseproof.evaluation.distributed.messages import (
    CellFailed,
    Event,
    FilePart,
    FolderWhole,
    NumberedUnit,
    Ready,
    Rows,
    Said,
    StopAll,
    TrainingDone,
    UnitDone,
    WorkerFailed,
    WorkerLost,
    WorkerPool,
)
from phraseproof.evaluation.distributed.units import Unit, UnitPart, compact
from phraseproof.evaluation.half_precision import Measurement
from phraseproof.evaluation.near_ties import PromptError
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.plan import PlannedCell
from phraseproof.evaluation.score_cells import ScoredCell
from phraseproof.store.journal import StoredOutcome
from phraseproof.store.usage import total

MOST_LOSSES: Final = 3
"""A unit is divided after this number of lost workers that sent nothing of it; a single cell fails then."""

_UNITS_IN_HAND: Final = 2
"""A worker has its next unit before it has finished one, so that it does not wait for the way to here and back."""

_PAUSE_S: Final = 1.0
_LOSSES_BEFORE_READY: Final = 3
"""The run ends after this number of losses per worker without an outcome or a worker that became ready in between."""


class Records(NamedTuple):
    """What is done with what comes.

    Attributes:
        settle: receives each cell once, when it is complete, or has failed and nothing of it is in hand.
        journal: stores outcomes of a cell that is not complete.
        ready: receives the checks of a worker's model, and the error of half precision if the worker measured it.
        parameters: receives the size of the model, where it counts it.
        done: receives the number of prompts that are done.
        rescored: receives the errors of near-ties that were scored again.
    """

    settle: Callable[[PlannedCell, ScoredCell | Exception], None]
    journal: Callable[[Cell, Sequence[StoredOutcome]], None]
    ready: Callable[[Sequence[Check], Measurement | None], None]
    parameters: Callable[[int | None], None]
    done: Callable[[int], None]
    rescored: Callable[[Sequence[PromptError]], None]


@dataclass
class _OpenCell:
    """A cell that is not complete."""

    planned: PlannedCell
    known: Mapping[str, StoredOutcome]
    units: int = 0
    rows: dict[str, StoredOutcome] = field(default_factory=dict[str, StoredOutcome])
    remarks: Counter[int] = field(default_factory=Counter[int])
    failure: Exception | None = None

    def result(self) -> ScoredCell | Exception:
        if self.failure is not None:
            return self.failure
        rows = {**self.known, **self.rows}
        lacking = [example.id for example in self.planned.task.examples if example.id not in rows]
        if lacking:
            return ModelError(
                f"the workers returned no outcome of {len(lacking)} examples", got=f"none of {lacking[0]}"
            )
        ordered = [rows[example.id].outcome for example in self.planned.task.examples]
        return ScoredCell(ordered, total(row.usage for row in rows.values()), self.remarks)


@dataclass
class _Assignment:
    """A unit and what became of it so far."""

    unit: Unit
    losses: int = 0
    has_progress: bool = False


@dataclass
class _Hands:
    """The units of a living worker, in the order in which it computes them."""

    units: dict[int, _Assignment] = field(default_factory=dict[int, _Assignment])
    is_ready: bool = False


class Dispatcher:
    """Has units computed by the workers of a pool.

    Args:
        pool: the workers.
        planned: the plan.
        known: the outcomes that were stored before, by cell of the plan, for each cell of the units.
        records: what is done with what comes.
        observer: notified of what workers say, and of those that are lost.
        measures: have one worker measure the error of half precision, if it computes in less than float32.
        rescores: near-ties are scored again: no unit is given before the error is known.
        measured: the error, if it was measured before.
    """

    def __init__(
        self,
        pool: WorkerPool,
        planned: Sequence[PlannedCell],
        known: Mapping[int, Mapping[str, StoredOutcome]],
        records: Records,
        observer: Observer,
        *,
        measures: bool = False,
        rescores: bool = False,
        measured: Measurement | None = None,
    ) -> None:
        self._pool = pool
        self._records = records
        self._observer = observer
        self._open = {index: _OpenCell(planned[index], rows) for index, rows in known.items()}
        self._waiting: deque[_Assignment] = deque()
        self._workers: dict[int, _Hands] = {}
        self._numbers = 0
        self._said: set[str] = set()
        self._refused: list[str] = []
        self._losses_in_a_row = 0
        self._last_loss = ""
        self._to_measure = measures
        self._measuring: int | None = None
        self._rescores, self._measured = rescores, measured

    def through(self, units: Sequence[Unit]) -> None:
        """Compute units.

        Raises:
            StoppedError: no worker can work, or none gets a further answer.
        """
        self._waiting.extend(map(_Assignment, units))
        for unit in units:
            for part in unit:
                self._open[part.cell].units += 1
        try:
            while self._waiting or self._to_measure or any(hands.units for hands in self._workers.values()):
                self._start_workers()
                self._give()
                self._take(self._pool.receive(_PAUSE_S))
        except BaseException:
            self._keep_the_last()
            raise

    def _start_workers(self) -> None:
        left = len(self._waiting) + sum(len(hands.units) for hands in self._workers.values())
        # A worker that could not load its model would fail again.
        wanted = min(self._pool.wanted() - len(self._refused), max(1, left))
        if wanted <= 0 and not self._workers:
            raise StoppedError(self._refused[0] if self._refused else "there is no room for a worker")
        if self._to_measure and self._measuring not in self._workers and len(self._workers) >= max(wanted, 1):
            # The worker that measured is gone and has no successor: one without work makes room for it.
            idle = next((worker for worker, hands in self._workers.items() if not hands.units), None)
            if idle is not None:
                wanted = max(wanted, 1)
                self._pool.stop(idle)
                del self._workers[idle]
        while len(self._workers) < wanted:
            measures = self._to_measure and self._measuring not in self._workers
            worker = self._pool.start(measures=measures)
            self._workers[worker] = _Hands()
            if measures:
                self._measuring = worker

    def _give(self) -> None:
        if self._rescores and self._to_measure:
            return
        measured = self._measured if self._rescores else None
        for depth in range(_UNITS_IN_HAND):
            # Near the end no worker takes a second unit: another one may be free sooner.
            if depth and len(self._waiting) <= len(self._workers):
                return
            for worker, hands in self._workers.items():
                if self._waiting and hands.is_ready and len(hands.units) == depth:
                    assignment = self._waiting.popleft()
                    assignment.has_progress = False
                    self._numbers += 1
                    hands.units[self._numbers] = assignment
                    self._pool.send(worker, [NumberedUnit(self._numbers, assignment.unit, measured)])

    def _take(self, received: Sequence[tuple[int, Sequence[Event]]]) -> None:
        fresh: dict[int, list[StoredOutcome]] = {}
        closed: list[int] = []
        try:
            # All outcomes first: an interrupt while they are counted loses none.
            new = sum(self._take_rows(worker, event, fresh) for worker, events in received for event in events)
            if new:
                self._losses_in_a_row = 0
                self._records.done(new)
            for worker, events in received:
                for event in events:
                    closed += self._take_one(worker, event)
            for index in closed:
                cell = self._open[index]
                result = cell.result()
                if isinstance(result, Exception):
                    # As if all of its prompts had been counted.
                    self._records.done(len(cell.planned.task.examples) - len(cell.known) - len(cell.rows))
                self._records.settle(cell.planned, result)
                if not isinstance(result, Exception):
                    fresh.pop(index, None)  # stored as a whole
                    del self._open[index]
        finally:
            self._journal(fresh)

    def _take_one(self, worker: int, event: Event) -> list[int]:
        """Take an event other than `Rows`; returns the cells of which nothing more will come."""
        hands = self._workers.get(worker)
        if hands is None:  # ended by us
            return []
        match event:
            case Ready(checks, measurement):
                hands.is_ready = True
                self._losses_in_a_row = 0
                self._to_measure = self._to_measure and worker != self._measuring
                self._measured = measurement or self._measured
                self._records.ready(checks, measurement)
            case Said(kind, text):
                self._say(kind, text)
            case Rows() | FilePart() | FolderWhole() | TrainingDone():  # taken before, or of trainings
                pass
            case CellFailed(cell, error, details):
                self._open[cell].failure = _failure(error, details)
            case UnitDone(number, remarks, parameters):
                assignment = hands.units.pop(number)
                self._records.parameters(parameters)
                for cell, found in remarks.items():
                    self._open[cell].remarks.update(found)
                return self._close(assignment.unit)
            case WorkerFailed(reason):
                return self._refuse(worker, reason)
            case WorkerLost(reason):
                return self._lose(worker, reason)
            case StopAll(error):
                raise error
        return []

    def _say(self, kind: str, text: str) -> None:
        if text not in self._said:  # several workers find the same things
            self._said.add(text)
            (self._observer.warned if kind == "warned" else self._observer.noted)(text)

    def _take_rows(self, worker: int, event: Event, fresh: dict[int, list[StoredOutcome]]) -> int:
        """Take the outcomes of an event, if it has some; returns how many are new."""
        if not isinstance(event, Rows) or worker not in self._workers or event.cell not in self._open:
            return 0
        cell = self._open[event.cell]
        new = {row.outcome.example_id: row for row in event.rows if row.outcome.example_id not in cell.rows}
        cell.rows.update(new)
        fresh.setdefault(event.cell, []).extend(new.values())
        if new:
            self._records.rescored(event.rescored)
        for assignment in self._workers[worker].units.values():
            if any(part.cell == event.cell for part in assignment.unit):
                assignment.has_progress = True
                break
        return len(new)

    def _close(self, unit: Unit) -> list[int]:
        closed: list[int] = []
        for part in unit:
            cell = self._open[part.cell]
            cell.units -= 1
            if cell.units == 0:
                closed.append(part.cell)
        return closed

    def _refuse(self, worker: int, reason: str) -> list[int]:
        self._refused.append(reason)
        self._pool.stop(worker)
        closed = self._put_back(worker, blames=True)
        if self._workers:
            self._observer.warned(f"worker {worker} failed: {reason}; the others compute its share")
        return closed

    def _lose(self, worker: int, reason: str) -> list[int]:
        self._last_loss = reason
        self._losses_in_a_row += 1
        if self._losses_in_a_row > _LOSSES_BEFORE_READY * max(2, self._pool.wanted()):
            raise StoppedError(f"workers end again and again before they compute anything: {reason}")
        closed = self._put_back(worker, blames=True)
        self._observer.warned(f"worker {worker} was lost: {reason}; what it had not sent is computed again")
        return closed

    def _put_back(self, worker: int, *, blames: bool) -> list[int]:
        """What a worker had in hand is to be computed by others; returns the cells that this closes."""
        closed: list[int] = []
        for place, assignment in enumerate(self._workers.pop(worker).units.values()):
            # The worker was at the first of its units.
            if blames and place == 0 and not assignment.has_progress:
                assignment.losses += 1
            rest = self._rest(assignment.unit)
            gone = [part for part in assignment.unit if part.cell not in {each.cell for each in rest}]
            closed += self._close(tuple(gone))
            if not rest:
                continue
            if assignment.losses < MOST_LOSSES:
                self._waiting.appendleft(_Assignment(rest, assignment.losses))
            elif len(rest) > 1:
                self._waiting.extendleft(_Assignment((part,)) for part in reversed(rest))
            else:
                for part in rest:
                    self._open[part.cell].failure = ModelError(
                        f"{assignment.losses} workers were lost while they computed it, the last one: {self._last_loss}"
                    )
                closed += self._close(rest)
        return closed

    def _rest(self, unit: Unit) -> Unit:
        """What no outcome came of."""
        rest: list[UnitPart] = []
        for part in unit:
            cell = self._open[part.cell]
            examples = cell.planned.task.examples
            places = [place for place in part.examples if examples[place].id not in cell.rows]
            if places and cell.failure is None:
                rest.append(UnitPart(part.cell, compact(places)))
        return tuple(rest)

    def _keep_the_last(self) -> None:
        """Journal what workers have sent until now, after an interrupt."""
        fresh: dict[int, list[StoredOutcome]] = {}
        silent = {worker for worker, hands in self._workers.items() if hands.units}
        ends = time.monotonic() + 2 * _PAUSE_S
        with suppress(Exception):  # the interrupt is what is reported
            while silent and time.monotonic() < ends:
                for worker, events in self._pool.receive(_PAUSE_S):
                    silent.discard(worker)
                    for event in events:
                        self._take_rows(worker, event, fresh)
        self._journal(fresh)

    def _journal(self, fresh: Mapping[int, Sequence[StoredOutcome]]) -> None:
        for index, rows in fresh.items():
            self._records.journal(self._open[index].planned.cell, rows)


def _failure(error: str, details: str) -> Exception:
    failure = ModelError(error)
    failure.add_note(details)
    return failure
