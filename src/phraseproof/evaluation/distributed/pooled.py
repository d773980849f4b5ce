"""One evaluation on the workers of a pool: they compute what is not stored, and this process stores it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from phraseproof.core import Check, CountsTokens, Model, OffersFloat32, Prompt
from phraseproof.errors import PhraseproofError, RunError, StoppedError, UsageError
from phraseproof.evaluation.device_share import DeviceShare
from phraseproof.evaluation.distributed.dispatch import Dispatcher, Records
from phraseproof.evaluation.distributed.messages import Setup, TrainingSetup, WorkerPool, versions
from phraseproof.evaluation.distributed.units import CellWork, Unit, UnitPart, compact, divide, unit_limit
from phraseproof.evaluation.distributed.worker_options import WorkerOptions
from phraseproof.evaluation.half_precision import SECTION, Measurement, Rescoring
from phraseproof.evaluation.kept_answers import KeepsAnswers
from phraseproof.evaluation.near_ties import PromptError, nothing_found, record_found, with_errors
from phraseproof.evaluation.numerical_error import plan_key, require_measured
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.plan import PlannedCell
from phraseproof.evaluation.prompt_notes import PromptNotes
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.score_cells import ScoredCell
from phraseproof.evaluation.self_test import MOST_PROMPTS
from phraseproof.evaluation.work import Work, count_prompts
from phraseproof.evaluation.workers import by_default_on
from phraseproof.models import ModelOptions
from phraseproof.scoring.patterns import SlowPatternError
from phraseproof.scoring.registry import reads_text
from phraseproof.store.journal import StoredOutcome
from phraseproof.store.run_file import read_run_file
from phraseproof.store.training_record import read_record
from phraseproof.store.writer import RunStore

_SIZED_PROMPTS: Final = 3
"""How many prompts of a cell are rendered to estimate its tokens."""

_CHARACTERS_PER_TOKEN: Final = 4.0


class OpenPool(Protocol):
    """Opens a pool for the length of a block; nothing of it is left afterwards."""

    def __call__(
        self, options: WorkerOptions, setup: Setup | TrainingSetup, observer: Observer, /
    ) -> AbstractContextManager[WorkerPool]:
        """Open the pool of these options; its workers receive the setup."""
        ...


class WorkerSet(Protocol):
    """Workers that are kept for several evaluations and trainings."""

    @property
    def options(self) -> WorkerOptions:
        """How many workers, and what each one gets."""
        ...

    @property
    def open_pool(self) -> OpenPool:
        """What gives the workers to one evaluation, or to some trainings."""
        ...


def refuse_served(model: Model, name: str) -> None:
    """Refuse a model behind a server.

    Args:
        model: what would be evaluated.
        name: of the model, as the user gave it.

    Raises:
        UsageError: it is one.
    """
    if isinstance(model, KeepsAnswers):
        raise UsageError(
            "a model behind a server answers many requests at a time, and workers would not make it faster",
            where="--workers",
            got=name,
            hint="Leave --workers out",
        )


@dataclass(frozen=True)
class PooledWorkers:
    """Workers that compute units of one evaluation, and send outcomes to this process, which stores them.

    Attributes:
        evaluation: what is computed; its model only plans.
        model: the model's name.
        loading: how workers load it.
        options: how many workers, and what each one gets.
        open_pool: what starts them.
    """

    evaluation: Evaluation
    model: str
    loading: ModelOptions
    options: WorkerOptions
    open_pool: OpenPool

    @property
    def names(self) -> tuple[str, ...]:
        """Where the work is done."""
        return (self.options.name,)

    def work(self, out: Path, observer: Observer, *, self_test: bool) -> None:
        """Compute what the run folder lacks, in which the plan is registered.

        Args:
            out: the run folder; only this process reads and writes it.
            observer: notified of the progress.
            self_test: every worker checks the model's scores first.

        Raises:
            StoppedError: no worker can work; what was computed is kept.
            RunError: the folder cannot be written.
        """
        _Session(self, out, observer, self_test=self_test).through()

    @property
    def elsewhere(self) -> str:
        """Why the energy is not tracked."""
        return "the workers of --workers are not metered"

    def setup(self, cells: Sequence[CellWork], *, self_test: bool) -> Setup:
        """What workers receive before they compute some cells."""
        step = max(1, len(cells) // MOST_PROMPTS)
        few = cells[::step][:MOST_PROMPTS] if self_test else []
        return Setup(
            share=DeviceShare.of(self.evaluation, self.model, self.loading),
            device=by_default_on(self.loading, self.options.default_device).device,
            identity=self.evaluation.model.identity,
            versions=versions(),
            tested=tuple(UnitPart(each.place, each.examples[:1]) for each in few),
            folders=_own_folders(self.model, self.loading),
        )


def _own_folders(model: str, loading: ModelOptions) -> tuple[Path, ...]:
    """The folders of the adapter, and of a model that was trained here: small, or on no other machine."""
    adapter = loading.args.get("adapter", loading.adapter)
    trained = Path(model) if Path(model).is_dir() and read_record(Path(model)) is not None else None
    return tuple(Path(folder) for folder in (adapter, trained) if folder is not None)


class _Session:
    """The work of one call."""

    def __init__(self, workers: PooledWorkers, out: Path, observer: Observer, *, self_test: bool) -> None:
        self._workers, self._evaluation = workers, workers.evaluation
        self._observer, self._self_test = observer, self_test
        evaluation = self._evaluation
        self._store = RunStore(out, evaluation.run_settings, locking=evaluation.locking, say=observer.warned)
        self._reuse = evaluation.reuse(self._store.samples)
        self._index = {each.cell: index for index, each in enumerate(evaluation.planned)}
        self._notes = PromptNotes(observer)
        self._has_parameters = False
        self._rescored: Rescoring | None = None
        self._work: Work[ScoredCell] = Work(self._store, observer, self._compute, self._keep, in_one=True)

    def through(self) -> None:
        try:
            self._work.through(self._evaluation.missing(self._store)[0])
        finally:
            self._store.save_checksums({} if self._rescored is None else record_found(self._rescored))
        self._notes.sum_up()

    def _keep(self, planned: PlannedCell, scored: ScoredCell) -> None:
        self._store.write(planned.cell, scored.outcomes, scored.usage, sources=self._reuse.identities(planned))
        self._notes.count(planned.cell, scored.outcomes, scored.remarks)

    def _compute(self, planned: Sequence[PlannedCell], count: Callable[[int], None]) -> None:
        try:
            self._settle_all(planned, count)
        except (RunError, StoppedError, SlowPatternError):
            raise
        except PhraseproofError as error:
            raise StoppedError(str(error)) from error
        except Exception as error:
            text = " ".join(f"{type(error).__name__}: {error}".split())
            raise StoppedError(f"the workers could not be used: {text}") from error

    def _settle_all(self, planned: Sequence[PlannedCell], count: Callable[[int], None]) -> None:
        files = self._store.files()
        known: dict[int, dict[str, StoredOutcome]] = {}
        open_cells: list[PlannedCell] = []
        for each in planned:
            if rows := self._reuse.stored(each, files):
                count(len(rows))
            if len(rows) < len(each.task.examples):
                known[self._index[each.cell]] = rows
                open_cells.append(each)
            else:
                ordered = [rows[example.id] for example in each.task.examples]
                usage = sum((row.usage for row in ordered[1:]), start=ordered[0].usage)
                self._work.settle(each, ScoredCell([row.outcome for row in ordered], usage, {}))
        if not open_cells:
            return
        cells = self._sized(open_cells, known)
        units = self._units(cells)
        setup = self._workers.setup(cells, self_test=self._self_test)
        records = Records(self._work.settle, self._store.append, self._ready, self._parameters, count, self._found)
        prompts = count_prompts(open_cells) - sum(map(len, known.values()))
        self._observer.noted(f"prompts for workers: {prompts:,}, units of work: {len(units):,}")
        rescores, measured = self._evaluation.settings.rescore_ties, self._measured()
        if rescores and measured is not None:
            require_measured(measured)
        if rescores and self._can_measure():
            self._rescored = nothing_found(self._evaluation.settings.scoring)
        measures = self._can_measure() and measured is None and (self._self_test or rescores)
        with self._workers.open_pool(self._workers.options, setup, self._observer) as pool:
            Dispatcher(
                pool,
                self._evaluation.planned,
                known,
                records,
                self._observer,
                measures=measures,
                rescores=rescores,
                measured=measured,
            ).through(units)

    def _units(self, cells: Sequence[CellWork]) -> list[Unit]:
        return divide(cells, self._workers.options.unit_tokens or unit_limit(cells))

    def _can_measure(self) -> bool:
        """Whether there is an error of half precision to be measured."""
        model = self._evaluation.model
        return (
            not reads_text(self._evaluation.settings.scoring)
            and isinstance(model, OffersFloat32)
            and model.identity.dtype not in {None, "float32"}
        )

    def _measured(self) -> Measurement | None:
        return read_run_file(self._store.path).get(SECTION, {}).get(plan_key(self._evaluation.planned))

    def _ready(self, checks: Sequence[Check], measurement: Measurement | None) -> None:
        if checks:
            self._store.register([], {"self_test": {check.name: check._asdict() for check in checks}})
        if measurement is not None:
            self._store.register([], {SECTION: {plan_key(self._evaluation.planned): measurement}})
            if self._evaluation.settings.rescore_ties:
                require_measured(measurement)

    def _found(self, errors: Sequence[PromptError]) -> None:
        if self._rescored is not None:
            self._rescored = with_errors(self._rescored, errors)

    def _parameters(self, number: int | None) -> None:
        if number is None or self._has_parameters:
            return
        self._has_parameters = True
        self._store.register([], {"model": {"parameters": number}})

    def _sized(self, planned: Sequence[PlannedCell], known: dict[int, dict[str, StoredOutcome]]) -> list[CellWork]:
        """What each cell lacks, with an estimate of its tokens from a few of its prompts."""
        found: list[CellWork] = []
        for each in planned:
            index = self._index[each.cell]
            rows = known[index]
            places = [place for place, example in enumerate(each.task.examples) if example.id not in rows]
            step = max(1, len(places) // _SIZED_PROMPTS)
            few = [each.task.examples[place] for place in places[::step][:_SIZED_PROMPTS]]
            prompts = self._evaluation.prompts(each, few)
            tokens = sum(self._tokens(prompts)) / len(prompts)
            found.append(CellWork(index, each.cell.task, compact(places), tokens, prompts[0].text))
        return found

    def _tokens(self, prompts: Sequence[Prompt]) -> list[float]:
        model = self._evaluation.model
        answers = self._evaluation.settings.answer_limit if reads_text(self._evaluation.settings.scoring) else 0
        if isinstance(model, CountsTokens):
            read = [float(tokens) for tokens in model.count_tokens(prompts)]
        else:
            read = [len(prompt.text) / _CHARACTERS_PER_TOKEN for prompt in prompts]
        return [
            1 + tokens + answers + sum(map(len, prompt.options)) / _CHARACTERS_PER_TOKEN
            for tokens, prompt in zip(read, prompts, strict=True)
        ]
