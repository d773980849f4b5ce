"""Carrying out an evaluation: plan, self-test, score what is missing, store it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from phraseproof.core import (
    Cell,
    Check,
    CountsParameters,
    Example,
    ForecastsTokens,
    FormatsChat,
    Instruction,
    Model,
    Outcome,
    Prompt,
    RoundsOff,
    ScoresOptions,
    Task,
    TestsItself,
    TokenForecast,
)
from phraseproof.errors import ModelError, SelfTestError, UsageError
from phraseproof.evaluation.budget import take_share
from phraseproof.evaluation.cut_prompts import CutPrompts
from phraseproof.evaluation.devices import Devices, work_on_devices
from phraseproof.evaluation.half_precision import Rounding, Ties, in_float32
from phraseproof.evaluation.observer import Observer, SilentObserver
from phraseproof.evaluation.plan import EvaluationSettings, Job, plan_jobs, sample_task, what_is_said
from phraseproof.evaluation.record import describe, peak_rss_bytes
from phraseproof.evaluation.work import Work, count_prompts
from phraseproof.instructions.render import build_prompt, draw_demonstrations, resolve_format
from phraseproof.instructions.template import CompiledInstruction, check_against, compile_instruction
from phraseproof.scoring.registry import metric, scorer
from phraseproof.store.half_precision import CLOSE_CALLS, RESCORED, half_precision
from phraseproof.store.queries import Run, load_run
from phraseproof.store.writer import RunStore, Usage, stored_cells, stored_examples

SELF_TEST_PROMPTS = 8
FORECAST_EXAMPLES = 100


@dataclass(frozen=True)
class Forecast:
    """What an evaluation would cost.

    Attributes:
        cells, prompts: in the whole plan.
        cells_missing, prompts_missing: what is not stored yet.
        tokens: for the missing prompts; `None` when the model cannot count tokens.
        sampled_prompts: how many prompts the token counts were extrapolated from.
    """

    cells: int
    prompts: int
    cells_missing: int
    prompts_missing: int
    tokens: TokenForecast | None
    sampled_prompts: int


@dataclass(frozen=True)
class Evaluation:
    """An evaluation that is fully resolved and checked, and not begun.

    Attributes:
        model: what is evaluated; its weights need not be loaded yet.
        jobs: the plan's cells, in order.
        tasks: the sampled tasks.
        groups: the groups of wordings, in the order they were named.
        settings: with `prompt_format` resolved.
        devices: where to compute, if on more than one device; `model` is on the first and only plans.
    """

    model: Model
    jobs: tuple[Job, ...]
    tasks: tuple[Task, ...]
    groups: tuple[str, ...]
    settings: EvaluationSettings
    devices: Devices | None = None

    @property
    def run_settings(self) -> dict[str, Any]:
        """What must be the same for every cell of a run folder, as JSON data."""
        names = ("scoring", "prompt_format", "limit", "seed", "log_samples")
        model = asdict(self.model.identity)
        model["settings"] = dict(model["settings"])
        found = {"model": model} | {name: getattr(self.settings, name) for name in names}
        # Told only where it is on, as in identities: folders that are older than the setting go on.
        return found | ({RESCORED: True} if self.settings.rescore_ties else {})

    def prompts(self, job: Job, examples: Sequence[Example] | None = None) -> list[Prompt]:
        """The job's prompts, in the order of its task's examples; or of only some of them."""
        chat_model = self.model if isinstance(self.model, FormatsChat) else None
        return [
            build_prompt(
                job.wording,
                example,
                demonstrations=draw_demonstrations(job.task, example, job.cell.num_fewshot, job.cell.fewshot_seed),
                prompt_format=self.settings.prompt_format,
                chat_model=chat_model,
            )
            for example in (job.task.examples if examples is None else examples)
        ]

    def _first_prompt(self, job: Job) -> str:
        return self.prompts(job, job.task.examples[:1])[0].text

    def forecast(self, out: Path | None = None) -> Forecast:
        """What the evaluation would cost, less what the run folder `out` already holds. Loads no weights."""
        done = set() if out is None else stored_cells(out, self.run_settings, [job.cell for job in self.jobs])
        missing = [job for job in self.jobs if job.cell not in done]
        if out is not None:
            missing = [_without(job, stored_examples(out, job.cell)) for job in missing]
        missing = [job for job in missing if job.task.examples]
        tokens: TokenForecast | None = None
        sampled = 0
        if isinstance(self.model, ForecastsTokens):
            asked = unique = 0.0
            for task in dict.fromkeys(job.task.name for job in missing):
                of_task = [job for job in missing if job.task.name == task]
                few = [sample_task(job.task, FORECAST_EXAMPLES, 0).examples for job in of_task]
                prompts = [prompt for job, some in zip(of_task, few, strict=True) for prompt in self.prompts(job, some)]
                part = self.model.forecast_tokens(prompts)
                scale = sum(len(job.task.examples) for job in of_task) / len(prompts)
                asked += part.asked * scale
                unique += part.unique * scale
                sampled += len(prompts)
            tokens = TokenForecast(round(asked), round(unique))
        return Forecast(
            cells=len(self.jobs),
            prompts=count_prompts(self.jobs),
            cells_missing=len(missing),
            prompts_missing=sum(len(job.task.examples) for job in missing),
            tokens=tokens,
            sampled_prompts=sampled,
        )

    def run(self, out: Path, *, observer: Observer | None = None, self_test: bool = True) -> Run:
        """Score and store every cell that the run folder does not hold yet.

        A cell that fails is recorded with its error and the rest goes on; see `Run.failures`.

        Raises:
            RunError: the folder holds a run with other settings, or a damaged cell.
            SelfTestError: the model's scores cannot be trusted.
            ModelError: no device could work, or the model cannot score options.
        """
        observer = observer or SilentObserver()
        if not isinstance(self.model, ScoresOptions):
            raise ModelError(
                "the model cannot score answer options",
                where=self.model.identity.name,
                hint="A server can with --model-arg endpoint=completions, if it echoes log-probabilities (vLLM does)",
            )
        store = RunStore(out, self.run_settings)
        record = describe(self.jobs, self.tasks, self.groups, self._first_prompt)
        stale, replaced = store.register([job.cell for job in self.jobs], record)
        if replaced:
            observer.noted(f"{_cells(replaced)} computed anew: their data or wordings were edited")
        if stale:
            names = ", ".join(f"{cell.task} under {cell.instruction}" for cell in stale[:3])
            rest = f" and {len(stale) - 3} more" if len(stale) > 3 else ""
            observer.warned(
                f"data or wordings were edited, so {_cells(stale)} computed before leave this run: {names}{rest}. Name "
                "their wordings again to compute them anew"
            )
        missing = [job for job in self.jobs if not store.has(job.cell)]
        if missing and self.devices is None:
            self.work_through(out, observer, self_test=self_test)
        else:
            observer.started(total=count_prompts(self.jobs), done=count_prompts(self.jobs) - count_prompts(missing))
        if missing and self.devices is not None:
            work_on_devices(self.devices, out, observer, self_test=self_test)
        store.finish(peak_rss_bytes())
        run = load_run(out)
        if (found := half_precision(run)) is None:
            return run
        store.register([], {CLOSE_CALLS: asdict(found)})
        return load_run(out)

    def work_through(
        self, out: Path, observer: Observer, *, self_test: bool = True, counts_others: bool = True
    ) -> None:
        """Score and store what a run folder lacks in which the plan is registered: `run` without its frame.

        Args:
            counts_others: tell the observer of cells that another process finished meanwhile.

        Raises:
            RunError, SelfTestError: as `run`.
        """
        store = RunStore(out, self.run_settings)
        missing = [job for job in self.jobs if not store.has(job.cell)]
        new = [job for job in missing if _without(job, stored_examples(out, job.cell)).task.examples]
        ties = self._look_at_rounding(store, observer, self_test=self_test) if new else None
        if new and self_test:
            observer.noted(f"loading {self.model.identity.name} and testing its scores")
            checks = self._self_test(new)
            store.register([], {"self_test": {check.name: check._asdict() for check in checks}})
        total = count_prompts(self.jobs)
        observer.started(total=total, done=total - count_prompts(missing))
        cuts = CutPrompts(observer)

        def keep(job: Job, result: tuple[list[Outcome], Usage]) -> None:
            outcomes, usage = result
            store.write(job.cell, outcomes, usage)
            cuts.count(job.cell, outcomes)

        def compute(jobs: Sequence[Job], count: Callable[[int], None]) -> list[tuple[list[Outcome], Usage]]:
            return self._outcomes(jobs, store, count, ties)

        Work(store, observer, compute, keep, counts_others=counts_others).through(missing)
        cuts.sum_up()
        if isinstance(self.model, CountsParameters) and any(store.has(job.cell) for job in new):
            store.register([], {"model": {"parameters": self.model.num_parameters}})

    def _look_at_rounding(self, store: RunStore, observer: Observer, *, self_test: bool) -> Ties | None:
        """Measure half precision's error, where it is used; how close calls are scored again, where that was asked."""
        if not (self_test or self.settings.rescore_ties) or in_float32(self.model) is None:
            return None
        rounding = Rounding(self.model, self.jobs, self.prompts, self.settings.scoring)
        rounding.measure_once(store, observer)
        return rounding.ties(store) if self.settings.rescore_ties else None

    def check(self) -> list[Check]:
        """The model's self-test on a few of the evaluation's own prompts, spread over tasks and wordings."""
        return self._checks(self.jobs)

    def _checks(self, jobs: Sequence[Job]) -> list[Check]:
        if not isinstance(self.model, TestsItself):
            return []
        step = max(1, len(jobs) // SELF_TEST_PROMPTS)
        few = jobs[::step][:SELF_TEST_PROMPTS]
        return self.model.self_test([prompt for job in few for prompt in self.prompts(job, job.task.examples[:1])])

    def _self_test(self, jobs: Sequence[Job]) -> list[Check]:
        checks = self._checks(jobs)
        failed = [check for check in checks if not check.passed]
        if failed:
            raise SelfTestError(
                f"the self-test failed: {failed[0].name}: {failed[0].detail}",
                where=self.model.identity.name,
                hint="phraseproof doctor shows all checks; --no-self-test goes on regardless",
            )
        return checks

    def _outcomes(
        self, jobs: Sequence[Job], store: RunStore, count: Callable[[int], None], ties: Ties | None
    ) -> list[tuple[list[Outcome], Usage]]:
        """Every job's outcomes, of which only those are computed that are stored in no other part of its cell."""
        ids = [[example.id for example in job.task.examples] for job in jobs]
        known = [store.passed_on(job.cell, wanted) for job, wanted in zip(jobs, ids, strict=True)]
        count(sum(len(part.outcomes) for part in known))
        fresh_jobs = [_without(job, part.outcomes) for job, part in zip(jobs, known, strict=True)]
        results = self._score(fresh_jobs, count, ties)
        found: list[tuple[list[Outcome], Usage]] = []
        for wanted, part, (fresh, usage) in zip(ids, known, results, strict=True):
            of_example = {**part.outcomes, **{outcome.example_id: outcome for outcome in fresh}}
            found.append(([of_example[example] for example in wanted], usage + part.usage))
        return found

    def _score(
        self, jobs: Sequence[Job], on_done: Callable[[int], None], ties: Ties | None
    ) -> list[tuple[list[Outcome], Usage]]:
        assert isinstance(self.model, ScoresOptions), "looked at before the run began"
        prompts_by_job = [self.prompts(job) for job in jobs]
        prompts = [prompt for of_job in prompts_by_job for prompt in of_job]
        cpu_before, wall_before = time.process_time(), time.perf_counter()
        reader, judge = scorer(self.settings.scoring), metric(self.settings.metric)
        method = reader.model_method
        scores = self.model.score_options(prompts, method=method, on_done=on_done) if prompts else []
        if ties is not None:
            scores = ties.again(scores, prompts)
        cpu_s, wall_s = time.process_time() - cpu_before, time.perf_counter() - wall_before
        computed = sum(score.computed_tokens for score in scores) or 1
        results: list[tuple[list[Outcome], Usage]] = []
        remaining = iter(scores)
        for job, of_job in zip(jobs, prompts_by_job, strict=True):
            outcomes: list[Outcome] = []
            asked = tokens = 0
            for example, prompt in zip(job.task.examples, of_job, strict=True):
                score = next(remaining)
                asked += score.asked_tokens
                tokens += score.computed_tokens
                outcome = Outcome(
                    example_id=example.id,
                    score=math.nan,
                    options=prompt.options,
                    option_logprobs=score.logprobs,
                    option_tokens=score.option_tokens,
                    option_credits=example.option_scores,
                    predicted=reader.choose(score.logprobs, prompt.options),
                    target=example.target,
                    prompt_tokens=score.prompt_tokens,
                    computed_tokens=score.computed_tokens,
                    truncated_tokens=score.truncated,
                    prompt=prompt.text if self.settings.log_samples else None,
                )
                outcomes.append(replace(outcome, score=judge.score(outcome)))
            share = tokens / computed
            results.append((outcomes, Usage(cpu_s * share, wall_s * share, asked, tokens)))
        return results


def prepare(
    model: Model,
    tasks: Sequence[Task],
    groups: Mapping[str, Mapping[str, Sequence[Instruction]]],
    settings: EvaluationSettings,
) -> Evaluation:
    """Resolve and check an evaluation before anything is computed.

    Args:
        model: a loaded model.
        tasks: the tasks in full.
        groups: for each group of wordings, each task's wordings by the task's name.
        settings: what is asked.

    Raises:
        UsageError: an unknown scoring method or format, a task without a wording, or close calls to be scored again by
            a model that cannot.
        InstructionError: a wording that cannot be rendered for a task.
    """
    scorer(settings.scoring)
    metric(settings.metric)
    if settings.rescore_ties and not isinstance(model, RoundsOff):
        raise UsageError("this model cannot be had in float32", where="--rescore-ties", got=model.identity.name)
    settings = replace(
        settings,
        prompt_format=resolve_format(settings.prompt_format, model),
        rescore_ties=settings.rescore_ties and in_float32(model) is not None,
    )
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
    jobs = plan_jobs(sampled, wordings, settings, model.identity)
    if settings.budget is not None:
        jobs = take_share(jobs, settings.budget, settings.seed)
    evaluation = Evaluation(model=model, jobs=tuple(jobs), tasks=sampled, groups=tuple(groups), settings=settings)
    for job in jobs:
        # One prompt of every cell, so that a wording that cannot work stops the evaluation before it begins.
        evaluation.prompts(job, job.task.examples[:1])
    return evaluation


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


def _without(job: Job, examples: Collection[str]) -> Job:
    """The job without these of its examples."""
    if not examples:
        return job
    rest = tuple(example for example in job.task.examples if example.id not in examples)
    demonstrations = job.task.demonstrations or job.task.examples
    return job._replace(task=replace(job.task, examples=rest, demonstrations=demonstrations))


def _cells(cells: Sequence[Cell]) -> str:
    return f"{len(cells)} cell{'' if len(cells) == 1 else 's'}"
