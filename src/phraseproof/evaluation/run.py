"""Carries out an evaluation: plan, self-test, score what is missing, store it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from phraseproof.core import (
    Check,
    CountsParameters,
    Example,
    FormatsChat,
    Model,
    Prompt,
    Task,
    WarnsOfPrecision,
)
from phraseproof.errors import ModelError, RunError, StoppedError
from phraseproof.evaluation.ask_model import AskedModel, require_answers
from phraseproof.evaluation.balance import report_balance
from phraseproof.evaluation.choose_scoring import Assumed
from phraseproof.evaluation.earlier_runs import EarlierRun, take_over
from phraseproof.evaluation.forecast import Forecast, forecast_of
from phraseproof.evaluation.half_precision import CLOSE_CALLS, RESCORED, half_precision
from phraseproof.evaluation.kept_answers import keeping_answers, one_call, still_computed
from phraseproof.evaluation.near_ties import NearTies, record_of
from phraseproof.evaluation.numerical_error import NumericalError, in_float32
from phraseproof.evaluation.observer import Observer, SilentObserver
from phraseproof.evaluation.plan import CellIdentities, PlannedCell
from phraseproof.evaluation.prompt_limit import FittingTask
from phraseproof.evaluation.prompt_notes import PromptNotes
from phraseproof.evaluation.record import describe, peak_rss_bytes
from phraseproof.evaluation.registration import register_plan
from phraseproof.evaluation.reuse import Reuse, without
from phraseproof.evaluation.score_cells import CellScorer, FolderOutlet, ScoredCell
from phraseproof.evaluation.self_test import check_model, require_passed
from phraseproof.evaluation.sessions import NamesDevices, recorded_session
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.evaluation.stored_spec import SPEC, merged_spec
from phraseproof.evaluation.timing import Timing, time_prompts, time_requests
from phraseproof.evaluation.work import Work, count_prompts
from phraseproof.instructions.option_order import in_order, in_own_order
from phraseproof.instructions.render import build_prompt, draw_demonstrations
from phraseproof.models.loading_cost import is_quick_to_load
from phraseproof.scoring.registry import metric, reads_text, scorer
from phraseproof.scoring.scorer import Reading
from phraseproof.store.locks import PATIENT, LockOptions
from phraseproof.store.queries import Run, load_run
from phraseproof.store.run_file import (
    FITTING,
    GENERATION,
    RUN_FILE,
    STRATIFIED,
    EvaluatedSample,
    FittedExamples,
    RunContent,
    read_run_file,
)
from phraseproof.store.stored import stored_cells, stored_files, stored_samples
from phraseproof.store.urls import name_of
from phraseproof.store.writer import RunStore

__all__ = ["Evaluation", "Forecast", "Interrupted", "Workers"]


class Interrupted(KeyboardInterrupt):
    """An evaluation was stopped; the message says what was kept."""


class Workers(NamesDevices, Protocol):
    """Several processes that work on one run folder, each on its own device."""

    def work(self, out: Path, observer: Observer, *, self_test: bool) -> None:
        """Compute what the run folder lacks, in which the plan is registered; returns when every process has ended."""
        ...


@dataclass(frozen=True)
class Evaluation:
    """An evaluation that is fully resolved and checked, but not started.

    Attributes:
        model: what is evaluated; its weights may not be loaded yet.
        planned: the plan's cells, in order.
        tasks: the sampled tasks.
        whole_tasks: the tasks in full.
        groups: the groups of wordings, in the order they were named.
        settings: with `prompt_format` resolved.
        workers: processes on several devices; `model` is then on the first one and only plans. `None`: this process
            computes.
        further: the same evaluation under other scorers and metrics, which follows in the same run folder.
        notes: what was found out about the model while the evaluation was prepared, one line each.
        locking: how long other processes that work on the run folder are waited for.
        assumed: what is assumed of a server that does not answer; such an evaluation only makes forecasts.
        fitting: for a maximum length of prompts, how many examples of each task keep it.
    """

    model: Model
    planned: tuple[PlannedCell, ...]
    tasks: tuple[Task, ...]
    whole_tasks: tuple[Task, ...]
    groups: tuple[str, ...]
    settings: EvaluationSpec
    workers: Workers | None = None
    further: tuple[Evaluation, ...] = ()
    notes: tuple[str, ...] = ()
    locking: LockOptions = PATIENT
    assumed: Assumed | None = None
    fitting: tuple[FittingTask, ...] = ()

    @cached_property
    def run_settings(self) -> RunContent:
        """What describes a run folder's cells as a whole, as JSON data."""
        names = ("scoring", "prompt_format", "limit", "seed", "log_samples")
        model = asdict(self.model.identity)
        model["settings"] = dict(model["settings"])
        found = {"model": model} | {name: getattr(self.settings, name) for name in names}
        # Omitted when off, as in identities, so that runs made before this setting still match.
        found |= {RESCORED: True} if self.settings.rescore_ties else {}
        return found | ({GENERATION: self.settings.generation} if reads_text(self.settings.scoring) else {})

    def prompts(self, planned: PlannedCell, examples: Sequence[Example] | None = None) -> list[Prompt]:
        """The cell's prompts, in the order of its task's examples; or of only some of them."""
        chat_model = self.model if isinstance(self.model, FormatsChat) else None
        cell, order = planned.cell, planned.cell.option_order
        prompts = (
            build_prompt(
                planned.wording,
                in_order(example, order),
                demonstrations=[
                    in_order(drawn, order)
                    for drawn in draw_demonstrations(planned.task, example, cell.num_fewshot, cell.fewshot_seed)
                ],
                prompt_format=self.settings.prompt_format,
                chat_model=chat_model,
                reasoning=self.settings.reasoning_sentence if reads_text(cell.scoring) else None,
            )
            for example in (planned.task.examples if examples is None else examples)
        )
        return [in_own_order(prompt, order) for prompt in prompts]

    def _first_prompt(self, planned: PlannedCell) -> str:
        return self.prompts(planned, planned.task.examples[:1])[0].text

    def forecast(self, out: Path | None = None, *, timing: bool | None = False) -> Forecast:
        """What the evaluation would cost, less what the run folder `out` already holds.

        Args:
            out: the run folder.
            timing: score a few prompts to estimate the time, which loads the weights; `None`: if they are small and on
                this machine, or the model is behind a server.
        """
        missing = self.lacking(out)
        computed: list[Evaluation] = [self]
        for other in self.further:
            # What a scorer derives from the outcomes of another one costs nothing.
            if self.settings.rescore_ties or not any(_follows(other, each) for each in computed):
                computed.append(other)
                missing += other.lacking(out)
        planned = [cell for each in (self, *self.further) for cell in each.planned]
        reading = scorer(self.settings.scoring).reading
        found = forecast_of(
            self.model,
            planned,
            missing,
            self.prompts,
            max_new_tokens=self.settings.answer_limit,
            readings=() if self.assumed is None else self.assumed.readings,
        )
        asked = [each.metric_questions(out) for each in (self, *self.further)]
        found = replace(found, judge_questions=sum(asked))
        if found.is_served and timing is not False:
            return replace(found, **self._time_at_server(missing))
        if (
            timing is False
            or reading is Reading.TEXT
            or (timing is None and not (self.workers is None and is_quick_to_load(self.model)))
        ):
            return found
        method = scorer(self.settings.scoring).model_method
        return replace(found, timing=time_prompts(self.model, missing, self.prompts, found.tokens, method=method))

    def _time_at_server(self, missing: Sequence[PlannedCell]) -> dict[str, Timing | str | None]:
        if self.assumed is not None:
            return {"untimed": self.assumed.reason}
        if one_call(self.model):
            return {"untimed": "the batch API answers within 24 hours"}
        if self.further:
            return {"untimed": "several ways to read answers take different times"}
        asked = AskedModel(self.model, self.settings)
        try:
            return {"timing": time_requests(asked.stream, missing, self.prompts)}
        except ModelError as error:
            return {"untimed": error.problem}

    def metric_questions(self, out: Path | None) -> int:
        """How many questions a metric that grades with a model would ask it about the cells that are not complete."""
        each = metric(self.settings.metric).questions_per_text
        if not each:
            return 0
        cells = [planned.cell for planned in self.planned]
        done = set() if out is None else set(stored_cells(out, self.run_settings, cells))
        return each * sum(cell.num_examples for cell in cells if cell not in done)

    def lacking(self, out: Path | None) -> list[PlannedCell]:
        """The cells and parts of cells that the run folder does not hold."""
        if out is None:
            return list(self.planned)
        done = stored_cells(out, self.run_settings, [each.cell for each in self.planned])
        reuse, files = self.reuse(stored_samples(out)), stored_files(out)
        lacking = [each for each in self.planned if each.cell not in done]
        return [rest for each in lacking if (rest := without(each, reuse.held(each, files))).task.examples]

    def run(
        self,
        out: Path,
        *,
        observer: Observer | None = None,
        self_test: bool = True,
        earlier: Sequence[EarlierRun] = (),
    ) -> Run:
        """Score and store every cell that the run folder does not hold yet.

        A cell that fails is recorded with its error, and the other cells are scored; see `Run.failures`. Several
        scorers follow one another; what one derives from the outcomes of another calls no model.

        Args:
            out: the run folder.
            observer: receives progress and warnings.
            self_test: check the model's scores before the run.
            earlier: other run folders, whose outcomes are not computed again.

        Returns:
            The run, under this evaluation's scorer, the first of several.

        Raises:
            RunError: the folder holds a run with settings that cannot be mixed with these, cannot be written, or
                another process holds it for longer than `locking` says.
            SelfTestError: the model's scores cannot be trusted.
            StoppedError: the model gives no further answers; what was scored is kept.
            ModelError: no device could work, or the model cannot score options.
            Interrupted: Ctrl-C; what was scored is kept.
        """
        observer = observer or SilentObserver()
        require_answers(self.model, self.settings.scoring)
        store = RunStore(out, self.run_settings, locking=self.locking, say=observer.warned)
        self._register(store, observer)
        missing, damaged = self.missing(store)
        if missing and earlier:
            derives = not self.settings.rescore_ties
            take_over(store, missing, self.reuse(store.samples), earlier, self._identities, derives=derives)
        if missing:
            is_stratified = self.settings.sample == STRATIFIED
            report_balance(self.tasks, self.whole_tasks, observer, is_stratified=is_stratified)
        for error in damaged:
            observer.warned(f"{error.problem}; the cell is computed again: {error.where}")
        try:
            if missing:
                self._record_work(store, observer, self_test=self_test)
            else:
                observer.started(total=count_prompts(self.planned), done=self._count_stored(store))
        except KeyboardInterrupt:
            raise Interrupted(f"stopped: {self._kept(store)}") from None
        except StoppedError as stop:
            raise stop.with_hint(self._kept(store)) from stop
        store.finish(peak_rss_bytes())
        for other in self.further:
            other.run(out, observer=observer, self_test=self_test)
        run = load_run(out).select(self.settings.scoring, self.settings.metric)
        if (found := half_precision(run)) is None:
            return run
        store.register([], {CLOSE_CALLS: asdict(found)})
        return load_run(out).select(self.settings.scoring, self.settings.metric)

    def _record_work(self, store: RunStore, observer: Observer, *, self_test: bool) -> None:
        workers, options = self.workers, self.settings.model_options
        with recorded_session(store, self.model, options, observer, workers=workers) as observed:
            if workers is None:
                self.work_through(store.path, observed, self_test=self_test)
            else:
                total = count_prompts(self.planned)
                # What is stored of incomplete cells is counted by the process that completes them.
                observed.started(total=total, done=total - count_prompts(self.missing(store)[0]))
                workers.work(store.path, observed, self_test=self_test)

    def _kept(self, store: RunStore) -> str:
        stored, total = self._count_stored(store), count_prompts(self.planned)
        kept = f"{stored:,} of {total:,} prompts are stored in {name_of(store.path)}{still_computed(self.model)}"
        return f"{kept}; the same command continues from there"

    def _register(self, store: RunStore, observer: Observer) -> None:
        """Write the plan into the run folder, and report the cells that leave the run."""
        record = describe(self.planned, self.tasks, self.groups, self._first_prompt)
        for each in self.fitting:
            kept = FittedExamples(self.settings.max_prompt_tokens or 0, each.kept, each.examined)
            record["tasks"][each.task.name][FITTING] = kept._asdict()
        content = read_run_file(store.path) if (store.path / RUN_FILE).exists() else {}
        record[SPEC] = merged_spec(content.get(SPEC), self.settings)
        register_plan(store, self.planned, record, self.settings, observer)

    def reuse(self, samples: Sequence[EvaluatedSample]) -> Reuse:
        """What finds stored outcomes, in a folder that was evaluated with these samples."""
        return Reuse(self.whole_tasks, self._identities, samples, derives=not self.settings.rescore_ties)

    @cached_property
    def _identities(self) -> CellIdentities:
        return CellIdentities.of_evaluation(self.model, self.settings)

    def missing(self, store: RunStore) -> tuple[list[PlannedCell], list[RunError]]:
        """The cells that a run folder does not hold whole, and the errors of the damaged files among them."""
        lacking, damaged = store.missing(each.cell for each in self.planned)
        cells = set(lacking)
        return [each for each in self.planned if each.cell in cells], damaged

    def _count_stored(self, store: RunStore) -> int:
        """How many of the plan's prompts are stored, in complete cells or elsewhere."""
        missing, _ = self.missing(store)
        reuse, files = self.reuse(store.samples), store.files()
        return (
            count_prompts(self.planned) - count_prompts(missing) + sum(len(reuse.held(each, files)) for each in missing)
        )

    def work_through(
        self, out: Path, observer: Observer, *, self_test: bool = True, counts_others: bool = True
    ) -> None:
        """Score and store what a run folder lacks in which the plan is registered: `run` without its frame.

        Args:
            out: the run folder.
            observer: notified of the progress.
            self_test: check the model's scores first.
            counts_others: notify the observer of cells that another process completed meanwhile.

        Raises:
            RunError, SelfTestError: as `run`.
        """
        store = RunStore(out, self.run_settings, locking=self.locking, say=observer.warned)
        missing, _ = self.missing(store)
        reuse, files = self.reuse(store.samples), store.files()
        new = [each for each in missing if len(reuse.held(each, files)) < len(each.task.examples)]
        if new and isinstance(self.model, WarnsOfPrecision) and (warning := self.model.precision_warning()):
            observer.warned(warning + "; with --rescore-ties it takes more memory, too" * self.settings.rescore_ties)
        near_ties = self._measure_error(store, observer, self_test=self_test) if new else None
        if new and self_test:
            observer.noted(f"loading {self.model.identity.name} and testing its scores")
            checks = check_model(self.model, new, self.prompts)
            require_passed(checks, self.model)
            store.register([], {"self_test": {check.name: check._asdict() for check in checks}})
        total = count_prompts(self.planned)
        observer.started(total=total, done=total - count_prompts(missing))
        notes = PromptNotes(observer)

        def keep(planned: PlannedCell, scored: ScoredCell) -> None:
            store.write(planned.cell, scored.outcomes, scored.usage, sources=reuse.identities(planned))
            if near_ties is not None:
                near_ties.count(scored.rescored)
            notes.count(planned.cell, scored.outcomes, scored.remarks)

        score = CellScorer(self.model, self.settings, self.prompts, FolderOutlet(store, reuse, near_ties), near_ties)
        try:
            with keeping_answers(self.model, out, lambda: not self.missing(store)[0], observer.noted) as settle:

                def compute(
                    planned: Sequence[PlannedCell], count: Callable[[int], None]
                ) -> list[ScoredCell | Exception]:
                    settle()  # the outcomes of earlier cells are stored
                    return score(planned, count)

                work = Work(store, observer, compute, keep, counts_others=counts_others, in_one=one_call(self.model))
                work.through(missing)
        except BaseException:
            store.save_checksums(record_of(near_ties))
            raise
        facts = record_of(near_ties)
        if new and isinstance(self.model, CountsParameters) and any(store.has(each.cell) for each in new):
            facts["model"] = {"parameters": self.model.num_parameters}
        store.save_checksums(facts)
        notes.sum_up()

    def _measure_error(self, store: RunStore, observer: Observer, *, self_test: bool) -> NearTies | None:
        """Measure the error of half precision, if it is used; returns what scores near-ties again, if requested."""
        is_measured = (self_test or self.settings.rescore_ties) and not reads_text(self.settings.scoring)
        if not is_measured or in_float32(self.model) is None:
            return None
        again, scoring = self.settings.rescore_ties, self.settings.scoring
        error = NumericalError(self.model, self.planned, self.prompts, scoring, keeps_exact=again)
        error.measure_once(store, observer)
        return error.near_ties(store) if again else None

    def check(self) -> list[Check]:
        """The model's self-test on a few of the evaluation's own prompts, spread over tasks and wordings."""
        return check_model(self.model, self.planned, self.prompts)


def _follows(evaluation: Evaluation, other: Evaluation) -> bool:
    """Whether the outcomes of one evaluation are derived from those of another."""
    return scorer(evaluation.settings.scoring).can_derive_from(scorer(other.settings.scoring))
