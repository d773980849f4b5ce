"""What a worker does: it loads the model once, computes units, and sends outcomes as they come."""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from phraseproof.core import Cell, CountsParameters
from phraseproof.errors import ModelError, PhraseproofError, RunError, StoppedError
from phraseproof.evaluation.distributed.messages import (
    CellFailed,
    Event,
    NumberedUnit,
    Ready,
    Rows,
    Said,
    Setup,
    StopAll,
    UnitDone,
    WorkerFailed,
    versions,
)
from phraseproof.evaluation.distributed.units import UnitPart
from phraseproof.evaluation.half_precision import Measurement
from phraseproof.evaluation.numerical_error import NumericalError, in_float32
from phraseproof.evaluation.plan import PlannedCell
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.score_cells import JOURNAL_INTERVAL_S, CellScorer
from phraseproof.evaluation.self_test import check_model, require_passed
from phraseproof.scoring.patterns import SlowPatternError
from phraseproof.scoring.registry import reads_text
from phraseproof.store.journal import StoredOutcome

Send = Callable[[Event], None]


class UnitWorker:
    """Computes units of one evaluation.

    Args:
        setup: the evaluation, and what has to be checked first.
        send: receives events.
        measures: measure the error of half precision first.
    """

    def __init__(self, setup: Setup, send: Send, *, measures: bool = False) -> None:
        self._setup, self._measures = setup, measures
        self._send = send
        self._evaluation: Evaluation | None = None
        self._counted = False

    def prepare(self) -> None:
        """Load the model and check that it is the evaluation's.

        Raises:
            ModelError: it is another one, or other versions would compute.
            SelfTestError: its scores cannot be trusted.
        """
        setup = self._setup
        if (here := versions()) != setup.versions:
            differ = [name for name in {**setup.versions, **here} if here.get(name) != setup.versions.get(name)]
            raise ModelError(
                f"the worker has another version of {differ[0]}",
                expected=setup.versions.get(differ[0], "none"),
                got=here.get(differ[0], "none"),
                hint="Install the same versions on every machine",
            )
        evaluation = setup.share.evaluation(setup.device)
        model = evaluation.model
        if model.identity != setup.identity:
            raise ModelError(
                f"the worker finds another model under the name {setup.share.model}",
                expected=f"revision {setup.identity.revision} in {setup.identity.dtype or 'its precision'}",
                got=f"revision {model.identity.revision} in {model.identity.dtype or 'its precision'}",
                hint="Every machine has to find the same model, and --dtype says in which precision",
            )
        measurement: Measurement | None = None
        spec = evaluation.settings
        if self._measures and not reads_text(spec.scoring) and in_float32(model) is not None:
            error = NumericalError(model, evaluation.planned, evaluation.prompts, spec.scoring)
            measurement = error.measure(_SendingObserver(self._send))
        checks = check_model(model, [part_of(evaluation, part) for part in setup.tested], evaluation.prompts)
        require_passed(checks, model)
        self._evaluation = evaluation
        self._send(Ready(tuple(checks), measurement))

    def compute(self, unit: NumberedUnit) -> None:
        """Compute a unit and send what comes of it.

        Raises:
            StoppedError, SlowPatternError, RunError: nothing more can be computed.
        """
        evaluation = self._evaluation
        assert evaluation is not None, "prepared first"
        model = evaluation.model
        outlet = _SendingOutlet(self._send)
        remarks: dict[int, dict[int, int]] = {}
        self._compute(evaluation, unit.unit, outlet, remarks)
        parameters = None
        if not self._counted and isinstance(model, CountsParameters):
            self._counted, parameters = True, model.num_parameters
        self._send(UnitDone(unit.number, remarks, parameters))

    def _compute(
        self,
        evaluation: Evaluation,
        parts: Sequence[UnitPart],
        outlet: _SendingOutlet,
        remarks: dict[int, dict[int, int]],
    ) -> None:
        """Compute parts of cells together; each one alone, if that fails."""
        planned = [outlet.without_sent(part_of(evaluation, part)) for part in parts]
        outlet.places = {each.cell: part.cell for each, part in zip(planned, parts, strict=True)}
        # A new one for each call, so that the calls of a model without streams do not depend on earlier units.
        score = CellScorer(evaluation.model, evaluation.settings, evaluation.prompts, outlet, near_ties=None)
        try:
            results = score(planned, _ignore)
        except (RunError, StoppedError, SlowPatternError):
            raise
        except Exception as error:  # noqa: BLE001 - any error of a cell is recorded, and the other cells are scored
            if len(parts) == 1:
                self._send(_failure(parts[0].cell, error))
                return
            for part in parts:
                self._compute(evaluation, [part], outlet, remarks)
            return
        for part, result in zip(parts, results, strict=True):
            if isinstance(result, Exception):
                self._send(_failure(part.cell, result))
            else:
                remarks[part.cell] = dict(result.remarks)


class _SendingObserver:
    """An observer that sends what is said."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def noted(self, message: str) -> None:
        self._send(Said("noted", message))

    def started(self, *, total: int, done: int) -> None: ...

    def advanced(self, prompts: int) -> None: ...

    def warned(self, message: str) -> None:
        self._send(Said("warned", message))


@dataclass
class _SendingOutlet:
    """Sends outcomes, and remembers of which examples."""

    send: Send
    places: dict[Cell, int] = field(default_factory=dict[Cell, int])
    sent: dict[Cell, set[str]] = field(default_factory=dict[Cell, set[str]])
    takes_all: bool = True

    def without_sent(self, planned: PlannedCell) -> PlannedCell:
        """The cell without the examples whose outcomes were sent."""
        sent = self.sent.get(planned.cell, set())
        rest = tuple(example for example in planned.task.examples if example.id not in sent)
        return planned._replace(task=replace(planned.task, examples=rest))

    def stored(self, planned: Sequence[PlannedCell]) -> list[dict[str, StoredOutcome]]:
        """Nothing: what is stored was left out of the unit."""
        return [{} for _ in planned]

    def append(self, cell: Cell, rows: Sequence[StoredOutcome]) -> None:
        self.sent.setdefault(cell, set()).update(row.outcome.example_id for row in rows)
        self.send(Rows(self.places[cell], list(rows)))


class WorkerServer:
    """A worker that computes in a thread, while its owner fetches events and gives further units.

    Args:
        setup: of the worker.
        measures: measure the error of half precision first.
    """

    def __init__(self, setup: Setup, *, measures: bool = False) -> None:
        self._units: queue.SimpleQueue[NumberedUnit] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        threading.Thread(target=self._work, args=(setup, measures), daemon=True).start()

    def exchange(self, units: Sequence[NumberedUnit]) -> list[Event]:
        """Take units; returns what was sent since the last call, after a wait of at most `JOURNAL_INTERVAL_S`.

        It returns early when the worker could run out of work.
        """
        for unit in units:
            self._units.put(unit)
        found: list[Event] = []
        ends = time.monotonic() + JOURNAL_INTERVAL_S
        while (left := ends - time.monotonic()) > 0:
            try:
                found.append(self._events.get(timeout=left))
            except queue.Empty:
                break
            if isinstance(found[-1], UnitDone) and self._units.empty():
                break
            if isinstance(found[-1], Ready | WorkerFailed | StopAll):
                break
        while not self._events.empty():
            found.append(self._events.get())
        return found

    def _work(self, setup: Setup, measures: bool) -> None:
        worker = UnitWorker(setup, self._events.put, measures=measures)
        try:
            worker.prepare()
            while True:
                worker.compute(self._units.get())
        except (RunError, StoppedError, SlowPatternError) as error:
            self._events.put(StopAll(error))
        except PhraseproofError as error:
            self._events.put(WorkerFailed(str(error)))
        except Exception as error:  # noqa: BLE001 - whatever it was, the other workers continue
            self._events.put(WorkerFailed(" ".join(f"{type(error).__name__}: {error}".split())))


def part_of(evaluation: Evaluation, part: UnitPart) -> PlannedCell:
    """A planned cell with some of its examples; demonstrations still come from all."""
    planned = evaluation.planned[part.cell]
    task = planned.task
    some = tuple(task.examples[place] for place in part.examples)
    return planned._replace(task=replace(task, examples=some, demonstrations=task.demonstrations or task.examples))


def _failure(cell: int, error: Exception) -> CellFailed:
    text = str(error) if isinstance(error, PhraseproofError) else f"{type(error).__name__}: {error}"
    return CellFailed(cell, " ".join(text.split()), "".join(traceback.format_exception(error)))


def _ignore(_prompts: int) -> None: ...
