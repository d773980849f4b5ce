"""What a worker does: it loads the model once, computes units, and sends outcomes as they come."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from phraseproof.core import Cell, CountsParameters
from phraseproof.errors import PhraseproofError, RunError, StoppedError
from phraseproof.evaluation.distributed.kept_model import KeptModel
from phraseproof.evaluation.distributed.messages import (
    CellFailed,
    Event,
    NumberedUnit,
    Ready,
    Rows,
    Said,
    Setup,
    UnitDone,
    require_versions,
)
from phraseproof.evaluation.distributed.units import UnitPart
from phraseproof.evaluation.half_precision import Measurement
from phraseproof.evaluation.near_ties import NearTies, PromptError
from phraseproof.evaluation.numerical_error import NumericalError, in_float32
from phraseproof.evaluation.plan import PlannedCell
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.score_cells import CellScorer
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
        models: loads the model.
        measures: measure the error of half precision first.
    """

    def __init__(self, setup: Setup, send: Send, models: KeptModel, *, measures: bool = False) -> None:
        self._setup, self._measures = setup, measures
        self._send = send
        self._models = models
        self._evaluation: Evaluation | None = None
        self._error: NumericalError | None = None
        self._counted = False

    def prepare(self) -> None:
        """Load the model and check that it is the evaluation's.

        Raises:
            ModelError: this machine finds another one, or other versions would compute.
            SelfTestError: its scores cannot be trusted.
        """
        setup = self._setup
        require_versions(setup.versions)
        evaluation = setup.share.evaluation(setup.device, self._models.of(setup))
        model, spec = evaluation.model, evaluation.settings
        measurement: Measurement | None = None
        compares = (self._measures or spec.rescore_ties) and not reads_text(spec.scoring)
        if compares and in_float32(model) is not None:
            self._error = NumericalError(
                model, evaluation.planned, evaluation.prompts, spec.scoring, keeps_exact=spec.rescore_ties
            )
            measurement = self._error.measure(_SendingObserver(self._send)) if self._measures else None
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
        near_ties: NearTies | None = None
        if evaluation.settings.rescore_ties and self._error is not None:
            assert unit.measured is not None, "measured before a unit is given"
            near_ties = self._error.near_ties_by(unit.measured)
        outlet = _SendingOutlet(self._send)
        remarks: dict[int, dict[int, int]] = {}
        self._compute(_Scoring(evaluation, outlet, near_ties), unit.unit, remarks)
        parameters = None
        if not self._counted and isinstance(model, CountsParameters):
            self._counted, parameters = True, model.num_parameters
        self._send(UnitDone(unit.number, remarks, parameters))

    def _compute(self, how: _Scoring, parts: Sequence[UnitPart], remarks: dict[int, dict[int, int]]) -> None:
        """Compute parts of cells together; each one alone, if that fails."""
        evaluation, outlet = how.evaluation, how.outlet
        planned = [outlet.without_sent(part_of(evaluation, part)) for part in parts]
        outlet.places = {each.cell: part.cell for each, part in zip(planned, parts, strict=True)}
        # A new one for each call, so that the calls of a model without streams do not depend on earlier units.
        score = CellScorer(evaluation.model, evaluation.settings, evaluation.prompts, outlet, how.near_ties)
        try:
            results = score(planned, _ignore)
        except (RunError, StoppedError, SlowPatternError):
            raise
        except Exception as error:  # noqa: BLE001 - any error of a cell is recorded, and the other cells are scored
            if len(parts) == 1:
                self._send(_failure(parts[0].cell, error))
                return
            for part in parts:
                self._compute(how, [part], remarks)
            return
        for part, result in zip(parts, results, strict=True):
            if isinstance(result, Exception):
                self._send(_failure(part.cell, result))
            else:
                remarks[part.cell] = dict(result.remarks)


class _Scoring(NamedTuple):
    """How the parts of a unit are scored: of which evaluation, where outcomes go, and what scores near-ties again."""

    evaluation: Evaluation
    outlet: _SendingOutlet
    near_ties: NearTies | None


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

    def append(self, cell: Cell, rows: Sequence[StoredOutcome], rescored: Sequence[PromptError]) -> None:
        self.sent.setdefault(cell, set()).update(row.outcome.example_id for row in rows)
        self.send(Rows(self.places[cell], list(rows), tuple(rescored)))


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
