"""Carries out an evaluation: plan, self-test, score what is missing, store it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from phraseproof.core import (
    Cell,
    Check,
    CountsParameters,
    Example,
    FormatsChat,
    Instruction,
    Model,
    OffersFloat32,
    Prompt,
    ScoresOptions,
    Task,
    TestsItself,
)
from phraseproof.errors import ModelError, RunError, SelfTestError, UsageError
from phraseproof.evaluation.budget import take_share
from phraseproof.evaluation.cut_prompts import CutPrompts
from phraseproof.evaluation.forecast import Forecast, forecast_of
from phraseproof.evaluation.half_precision import CLOSE_CALLS, RESCORED, half_precision
from phraseproof.evaluation.near_ties import NearTies
from phraseproof.evaluation.numerical_error import NumericalError, in_float32
from phraseproof.evaluation.observer import Observer, SilentObserver
from phraseproof.evaluation.plan import (
    CellIdentities,
    PlannedCell,
    plan_cells,
    sample_task,
    what_is_said,
)
from phraseproof.evaluation.record import describe, peak_rss_bytes
from phraseproof.evaluation.reuse import Reuse, without
from phraseproof.evaluation.score_cells import CellScorer, ScoredCell
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.evaluation.stored_spec import SPEC, merged_spec
from phraseproof.evaluation.work import Work, count_prompts
from phraseproof.instructions.render import build_prompt, draw_demonstrations, resolve_format
from phraseproof.instructions.template import CompiledInstruction, check_against, compile_instruction
from phraseproof.scoring.registry import metric, scorer
from phraseproof.store.queries import Run, load_run
from phraseproof.store.run_file import RUN_FILE, SAMPLES, EvaluatedSample, edited_entries, read_run_file, sample_entry
from phraseproof.store.writer import Edited, RunStore, stored_cells, stored_files, stored_samples

__all__ = ["Evaluation", "Forecast", "Interrupted", "Workers", "prepare"]

SELF_TEST_PROMPTS = 8


class Interrupted(KeyboardInterrupt):
    """An evaluation was stopped; the message says what was kept."""


class Workers(Protocol):
    """Several processes that work on one run folder, each on a device of its own."""

    @property
    def names(self) -> tuple[str, ...]:
        """The devices."""
        ...

    def work(self, out: Path, observer: Observer, *, self_test: bool) -> None:
        """Compute what the run folder lacks, in which the plan is registered; returns when every process has ended."""
        ...


@dataclass(frozen=True)
class Evaluation:
    """An evaluation that is fully resolved and checked, and not begun.

    Attributes:
        model: what is evaluated; its weights need not be loaded yet.
        planned: the plan's cells, in order.
        tasks: the sampled tasks.
        whole_tasks: the tasks in full.
        groups: the groups of wordings, in the order they were named.
        settings: with `prompt_format` resolved.
        workers: processes on several devices; `model` is then on the first one and only plans. `None`: this process
            computes.
    """

    model: Model
    planned: tuple[PlannedCell, ...]
    tasks: tuple[Task, ...]
    whole_tasks: tuple[Task, ...]
    groups: tuple[str, ...]
    settings: EvaluationSpec
    workers: Workers | None = None

    @cached_property
    def run_settings(self) -> dict[str, Any]:
        """What describes a run folder's cells as a whole, as JSON data."""
        names = ("scoring", "prompt_format", "limit", "seed", "log_samples")
        model = asdict(self.model.identity)
        model["settings"] = dict(model["settings"])
        found = {"model": model} | {name: getattr(self.settings, name) for name in names}
        # Omitted when off, as in identities, so that runs made before this setting still match.
        return found | ({RESCORED: True} if self.settings.rescore_ties else {})

    def prompts(self, planned: PlannedCell, examples: Sequence[Example] | None = None) -> list[Prompt]:
        """The cell's prompts, in the order of its task's examples; or of only some of them."""
        chat_model = self.model if isinstance(self.model, FormatsChat) else None
        cell = planned.cell
        return [
            build_prompt(
                planned.wording,
                example,
                demonstrations=draw_demonstrations(planned.task, example, cell.num_fewshot, cell.fewshot_seed),
                prompt_format=self.settings.prompt_format,
                chat_model=chat_model,
            )
            for example in (planned.task.examples if examples is None else examples)
        ]

    def _first_prompt(self, planned: PlannedCell) -> str:
        return self.prompts(planned, planned.task.examples[:1])[0].text

    def forecast(self, out: Path | None = None) -> Forecast:
        """What the evaluation would cost, less what the run folder `out` already holds. Loads no weights."""
        missing = list(self.planned)
        if out is not None:
            done = stored_cells(out, self.run_settings, [each.cell for each in self.planned])
            reuse, files = self._reuse(stored_samples(out)), stored_files(out)
            lacking = [each for each in self.planned if each.cell not in done]
            missing = [rest for each in lacking if (rest := without(each, reuse.stored(each, files))).task.examples]
        return forecast_of(self.model, self.planned, missing, self.prompts)

    def run(self, out: Path, *, observer: Observer | None = None, self_test: bool = True) -> Run:
        """Score and store every cell that the run folder does not hold yet.

        A cell that fails is recorded with its error and the rest goes on; see `Run.failures`.

        Returns:
            The run, under this evaluation's scorer.

        Raises:
            RunError: the folder holds a run with settings that cannot be mixed with these, or cannot be written.
            SelfTestError: the model's scores cannot be trusted.
            ModelError: no device could work, or the model cannot score options.
            Interrupted: Ctrl-C; what was scored is kept.
        """
        observer = observer or SilentObserver()
        if not isinstance(self.model, ScoresOptions):
            raise ModelError(
                "the model cannot score answer options",
                where=self.model.identity.name,
                hint="A server can with --model-arg endpoint=completions, if it echoes log-probabilities (vLLM does)",
            )
        store = RunStore(out, self.run_settings)
        self._register(store, observer)
        missing, damaged = self._missing(store)
        for error in damaged:
            observer.warned(f"{error.problem}; the cell is computed again: {error.where}")
        try:
            if missing and self.workers is None:
                self.work_through(out, observer, self_test=self_test)
            else:
                observer.started(total=count_prompts(self.planned), done=self._count_stored(store))
            if missing and self.workers is not None:
                self.workers.work(out, observer, self_test=self_test)
        except KeyboardInterrupt:
            total = count_prompts(self.planned)
            raise Interrupted(
                f"stopped: {self._count_stored(store):,} of {total:,} prompts are stored in {out}; the same command "
                "goes on from there"
            ) from None
        store.finish(peak_rss_bytes())
        run = load_run(out).select(self.settings.scoring)
        if (found := half_precision(run)) is None:
            return run
        store.register([], {CLOSE_CALLS: asdict(found)})
        return load_run(out).select(self.settings.scoring)

    def _register(self, store: RunStore, observer: Observer) -> None:
        """Write the plan into the run folder, and say what leaves the run because of it."""
        record = describe(self.planned, self.tasks, self.groups, self._first_prompt)
        sample = EvaluatedSample(self.settings.limit, self.settings.seed, self.settings.scoring, self.settings.metric)
        samples = [*store.samples, sample]
        record[SAMPLES] = {name: entry for each in samples for name, entry in sample_entry(each).items()}
        has_run = (store.path / RUN_FILE).exists()
        content = read_run_file(store.path) if has_run else {}
        record[SPEC] = merged_spec(content.get(SPEC), self.settings)
        before = content.get("tasks", {})
        # Another sample of the same data: nothing was edited.
        grown = edited_entries(before, record["tasks"]) - edited_entries(before, record["tasks"], "data")
        edited = store.register([each.cell for each in self.planned], record)
        _report_edits(edited, {name for name in grown if "data" in before[name]}, observer)

    def _reuse(self, samples: Sequence[EvaluatedSample]) -> Reuse:
        return Reuse(self.whole_tasks, self._identities, samples, derives=not self.settings.rescore_ties)

    @cached_property
    def _identities(self) -> CellIdentities:
        return identities_of(self.model, self.settings)

    def _missing(self, store: RunStore) -> tuple[list[PlannedCell], list[RunError]]:
        lacking, damaged = store.missing(each.cell for each in self.planned)
        cells = set(lacking)
        return [each for each in self.planned if each.cell in cells], damaged

    def _count_stored(self, store: RunStore) -> int:
        """How many of the plan's prompts are stored, in complete cells or elsewhere."""
        missing, _ = self._missing(store)
        reuse, files = self._reuse(store.samples), store.files()
        return (
            count_prompts(self.planned)
            - count_prompts(missing)
            + sum(len(reuse.stored(each, files)) for each in missing)
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
        store = RunStore(out, self.run_settings)
        missing, _ = self._missing(store)
        reuse, files = self._reuse(store.samples), store.files()
        new = [each for each in missing if len(reuse.stored(each, files)) < len(each.task.examples)]
        near_ties = self._measure_error(store, observer, self_test=self_test) if new else None
        if new and self_test:
            observer.noted(f"loading {self.model.identity.name} and testing its scores")
            checks = self._self_test(new)
            store.register([], {"self_test": {check.name: check._asdict() for check in checks}})
        total = count_prompts(self.planned)
        observer.started(total=total, done=total - count_prompts(missing))
        cuts = CutPrompts(observer)

        def keep(planned: PlannedCell, scored: ScoredCell) -> None:
            store.write(planned.cell, scored.outcomes, scored.usage, sources=reuse.identities(planned))
            cuts.count(planned.cell, scored.outcomes)

        compute = CellScorer(self.model, self.settings, self.prompts, store, reuse, near_ties)
        try:
            Work(store, observer, compute, keep, counts_others=counts_others).through(missing)
        finally:
            store.save_checksums()
        cuts.sum_up()
        if new and isinstance(self.model, CountsParameters) and any(store.has(each.cell) for each in new):
            store.register([], {"model": {"parameters": self.model.num_parameters}})

    def _measure_error(self, store: RunStore, observer: Observer, *, self_test: bool) -> NearTies | None:
        """Measure half precision's error, where it is used; returns what scores near-ties again, if that was asked."""
        if not (self_test or self.settings.rescore_ties) or in_float32(self.model) is None:
            return None
        error = NumericalError(self.model, self.planned, self.prompts, self.settings.scoring)
        error.measure_once(store, observer)
        return error.near_ties(store) if self.settings.rescore_ties else None

    def check(self) -> list[Check]:
        """The model's self-test on a few of the evaluation's own prompts, spread over tasks and wordings."""
        return self._checks(self.planned)

    def _checks(self, planned: Sequence[PlannedCell]) -> list[Check]:
        if not isinstance(self.model, TestsItself):
            return []
        step = max(1, len(planned) // SELF_TEST_PROMPTS)
        few = planned[::step][:SELF_TEST_PROMPTS]
        return self.model.self_test([prompt for each in few for prompt in self.prompts(each, each.task.examples[:1])])

    def _self_test(self, planned: Sequence[PlannedCell]) -> list[Check]:
        checks = self._checks(planned)
        failed = [check for check in checks if not check.passed]
        if failed:
            raise SelfTestError(
                f"the self-test failed: {failed[0].name}: {failed[0].detail}",
                where=self.model.identity.name,
                hint="phraseproof doctor shows all checks; --no-self-test goes on regardless",
            )
        return checks


def prepare(
    model: Model,
    tasks: Sequence[Task],
    groups: Mapping[str, Mapping[str, Sequence[Instruction]]],
    settings: EvaluationSpec,
) -> Evaluation:
    """Resolve and check an evaluation before anything is computed.

    Args:
        model: a loaded model.
        tasks: the tasks in full.
        groups: for each group of wordings, each task's wordings by the task's name.
        settings: what is asked.

    Raises:
        UsageError: an unknown scoring method or format, a task without a wording, or near-ties to be scored again by a
            model that cannot.
        InstructionError: a wording that cannot be rendered for a task.
    """
    scorer(settings.scoring)
    metric(settings.metric)
    if settings.rescore_ties and not isinstance(model, OffersFloat32):
        raise UsageError("this model cannot be loaded in float32", where="--rescore-ties", got=model.identity.name)
    resolved = {
        "prompt_format": resolve_format(settings.prompt_format, model),
        "rescore_ties": settings.rescore_ties and in_float32(model) is not None,
    }
    settings = settings.model_copy(update=resolved)
    sampled = tuple(sample_task(task, settings.limit, settings.seed) for task in tasks)
    compiled: dict[Instruction, CompiledInstruction] = {}
    wordings: dict[str, dict[str, list[CompiledInstruction]]] = {}
    for task in sampled:
        of_task: dict[str, list[CompiledInstruction]] = {}
        for group, by_task in groups.items():
            for instruction in by_task.get(task.name, ()):
                if instruction not in compiled:
                    compiled[instruction] = compile_instruction(instruction)
                check_against(instruction, task)
                of_task.setdefault(group, []).append(compiled[instruction])
        if not of_task:
            raise UsageError(
                f"no wording fits the task {task.name!r} ({task.kind})",
                hint="Name a collection with wordings for it; phraseproof instructions list shows what there is",
            )
        wordings[task.name] = of_task
    _require_one_text_a_name(sampled, compiled)
    planned = plan_cells(sampled, wordings, settings, identities_of(model, settings))
    if settings.budget is not None:
        planned = take_share(planned, settings.budget, settings.seed)
    evaluation = Evaluation(model, tuple(planned), sampled, tuple(tasks), tuple(groups), settings)
    for each in planned:
        # One prompt of every cell, so that a wording that cannot work stops the evaluation before it begins.
        evaluation.prompts(each, each.task.examples[:1])
    return evaluation


def identities_of(model: Model, settings: EvaluationSpec) -> CellIdentities:
    """What computes the identities of an evaluation's cells."""
    return CellIdentities(model.identity, settings.prompt_format, is_rescored=settings.rescore_ties)


def _require_one_text_a_name(tasks: Iterable[Task], wordings: Iterable[Instruction]) -> None:
    """Tables and queries tell wordings apart by name; only the designers' of different tasks may share one."""
    own = {instruction for task in tasks for instruction in task.instructions}
    named: dict[str, Instruction] = {}
    for instruction in wordings:
        other = named.setdefault(instruction.name, instruction)
        if instruction not in own and what_is_said(instruction) != what_is_said(other):
            raise UsageError(
                f"two different wordings are called {instruction.name!r}",
                where=instruction.origin,
                got=f"another at {other.origin}" if other.origin else None,
                hint="Give one of the collections another name",
            )


def _report_edits(edited: Edited, grown: set[str], observer: Observer) -> None:
    """Say which cells are not what they were.

    Args:
        edited: what registering the plan changed.
        grown: the tasks of which only the sample changed.
        observer: notified of them.
    """
    replaced = [cell for cell in edited.replaced if cell.task not in grown]
    if replaced:
        observer.noted(f"{_cells(replaced)} computed again: their data or wordings were edited")
    for is_grown, reason in ((False, "data or wordings were edited"), (True, "the sample of examples grew")):
        left = [cell for cell in edited.left if (cell.task in grown) == is_grown]
        if left:
            names = ", ".join(f"{cell.task} under {cell.instruction}" for cell in left[:3])
            rest = f" and {len(left) - 3} more" if len(left) > 3 else ""
            observer.warned(
                f"{reason}, so {_cells(left)} computed before leave this run: {names}{rest}. Name their wordings "
                "again to evaluate them again; stored outcomes are reused where nothing was edited"
            )


def _cells(cells: Sequence[Cell]) -> str:
    return f"{len(cells)} cell{'' if len(cells) == 1 else 's'}"
