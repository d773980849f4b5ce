"""Measure a model, train it on some wordings, and measure it again on wordings that training never saw.

Wordings are split into training and held-out wordings, examples into training and test examples. The soft prompt (or
all weights) is trained on training examples under training wordings. The base model and the hardened model are compared
on test examples under held-out wordings only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from phraseproof.alignment.pairs import pairs_from_task
from phraseproof.alignment.pairs.paraphrase_set import ParaphraseSet
from phraseproof.alignment.trainer import train
from phraseproof.analysis.grids import load_grids
from phraseproof.analysis.paired import compare_runs
from phraseproof.analysis.robustness import summarize
from phraseproof.core import Finding, Instruction, Task
from phraseproof.errors import InstructionError, RunError, UsageError
from phraseproof.evaluation.evaluate import evaluate
from phraseproof.evaluation.observer import Observer, SilentObserver
from phraseproof.hardening.settings import HardenSettings
from phraseproof.hardening.splits import TaskSides, divide_examples, split_wordings, wording_key
from phraseproof.instructions.collections import Collection, instructions_for
from phraseproof.models import ModelOptions
from phraseproof.store.queries import Run
from phraseproof.training.log import TrainingObserver

_HELD_OUT = "held-out"
_RANKING_EXAMPLES = 100
"""The maximum number of training examples per task from which the reference wording is chosen."""


@dataclass(frozen=True)
class HardenResult:
    """The comparison of the base model and the hardened model.

    Attributes:
        gain: hardened minus base, on held-out wordings and test examples, with its interval; the same as in
            `phraseproof compare`.
        method: what was trained.
        before, after: mean scores of the two runs, as in `phraseproof table`.
        references: for each task, the training wording that served as the reference.
        trained, held_out: the names of the wordings.
        base, hardened: the two runs on held-out wordings.
        folder: the adapter, or the model for methods that train all weights.
    """

    gain: Finding
    method: str
    before: float
    after: float
    references: Mapping[str, str]
    trained: tuple[str, ...]
    held_out: tuple[str, ...]
    base: Run
    hardened: Run
    folder: Path

    @property
    def verdict(self) -> str:
        """`helped`, `hurt`, or `not shown` if the interval contains zero."""
        assert self.gain.low is not None, "two held-out wordings or more give an interval"
        assert self.gain.high is not None, "two held-out wordings or more give an interval"
        if self.gain.low > 0:
            return "helped"
        return "hurt" if self.gain.high < 0 else "not shown"


class _Plan(NamedTuple):
    """The examples and wordings of training and of measuring.

    Attributes:
        divided: each task's two sides.
        training, testing: each task's training and held-out wordings.
    """

    divided: Mapping[str, TaskSides]
    training: Mapping[str, Sequence[Instruction]]
    testing: Mapping[str, Sequence[Instruction]]


def run_hardening(
    model: str,
    tasks: Sequence[Task],
    collections: Sequence[Collection],
    out: Path,
    settings: HardenSettings,
    *,
    model_options: ModelOptions = ModelOptions(),
    observers: tuple[Observer | None, TrainingObserver | None] = (None, None),
) -> HardenResult:
    """Do what `harden` does, with the settings as one value and with loaded tasks and collections.

    Args:
        model: a hub id or a folder.
        tasks: the tasks to measure on.
        collections: the wordings to split.
        out: receives `base/` and `hardened/` (run folders), `reference/` (the base model on training wordings and
            training examples, from which the reference is chosen) and `adapter/` (or a model).
        settings: how to split, train and measure.
        model_options: how to load the model.
        observers: of the evaluations and of the training.

    Raises:
        UsageError: too few wordings or examples, or no two of a task's wordings can be paired.
    """
    observer = observers[0] or SilentObserver()
    plan = _plan(tasks, collections, settings)

    observer.noted("choosing a reference among the training wordings, on training examples")
    ranking = evaluate(
        model,
        [sides.training for sides in plan.divided.values()],
        {"training": _collections(plan.training)},
        out / "reference",
        limit=_RANKING_EXAMPLES,
        model_options=model_options,
        observer=observer,
        prompt_format=settings.alignment.prompt_format,
    )
    references: dict[str, str] = {}
    pairs: list[ParaphraseSet] = []
    for name, sides in plan.divided.items():
        reference, made = _pairs(sides.training, _ranked(ranking, name, plan.training[name]), settings)
        references[name] = reference.name
        pairs += made

    def measure(folder: str, options: ModelOptions, measured: str) -> Run:
        run = evaluate(
            measured,
            [sides.test for sides in plan.divided.values()],
            {_HELD_OUT: _collections(plan.testing)},
            out / folder,
            limit=settings.limit,
            seed=settings.seed,
            model_options=options,
            observer=observer,
            prompt_format=settings.alignment.prompt_format,
        )
        if run.missing:
            raise RunError(
                f"{len(run.missing)} of {len(run.cells)} cells failed, so the runs cannot be compared",
                got=run.failures[0].error if run.failures else None,
                where=str(run.path),
                hint="Run the same command to try them again",
            )
        return run

    observer.noted("measuring the base model on held-out wordings")
    base = measure("base", model_options, model)
    trained = train(
        model, pairs, out / "adapter", settings.alignment, model_options=model_options, observer=observers[1]
    )
    observer.noted("measuring the hardened model on the same wordings")
    if trained.kind == "adapter":
        hardened = measure("hardened", replace(model_options, adapter=trained.folder), model)
    else:
        hardened = measure("hardened", model_options, str(trained.folder))
    (compared,) = compare_runs(load_grids(base), load_grids(hardened), seed=settings.seed)
    return HardenResult(
        gain=replace(compared.overall.all, name="hardened minus base"),
        method=settings.alignment.method,
        before=_mean(base),
        after=_mean(hardened),
        references=references,
        trained=_names(plan.training),
        held_out=_names(plan.testing),
        base=base,
        hardened=hardened,
        folder=trained.folder,
    )


def _plan(tasks: Sequence[Task], collections: Sequence[Collection], settings: HardenSettings) -> _Plan:
    divided = {task.name: divide_examples(task, settings.training_share, settings.seed) for task in tasks}
    wordings = {task.name: [item for c in collections for item in instructions_for(c, task)] for task in tasks}
    held_out = split_wordings(wordings, settings.held_out_share, settings.seed)
    training = {name: [each for each in items if wording_key(each) not in held_out] for name, items in wordings.items()}
    testing = {name: [each for each in items if wording_key(each) in held_out] for name, items in wordings.items()}
    return _Plan(divided, training, testing)


def _pairs(
    task: Task, ranked: Sequence[Instruction], settings: HardenSettings
) -> tuple[Instruction, list[ParaphraseSet]]:
    """The best training wording that others can be paired with, and the pairs."""
    problem: InstructionError | None = None
    for reference in ranked:
        try:
            others = [item for item in ranked if item is not reference]
            return reference, pairs_from_task(
                task, [reference], others, limit=settings.max_pairs, seed=settings.alignment.seed
            )
        except InstructionError as error:
            problem = problem or error
    raise UsageError(
        f"no two training wordings of task {task.name!r} can be paired",
        hint="Paired wordings must write their answers in the same way: as letters, or as texts",
    ) from problem


def _ranked(run: Run, task: str, wordings: Sequence[Instruction]) -> list[Instruction]:
    scores = {row.instruction: row.mean_score for row in run.wording_scores() if row.task == task}
    return sorted(wordings, key=lambda item: -scores[item.name])


def _collections(wordings: Mapping[str, Sequence[Instruction]]) -> list[Collection]:
    """All wordings as collections, each wording once."""
    found = dict.fromkeys(item for items in wordings.values() for item in items)
    by_name: dict[str, list[Instruction]] = {}
    for item in found:
        by_name.setdefault(item.collection, []).append(item)
    return [Collection(name, tuple(items)) for name, items in by_name.items()]


def _mean(run: Run) -> float:
    (summary,) = summarize(run.wording_scores())
    return summary.overall.groups[_HELD_OUT].mean


def _names(wordings: Mapping[str, Sequence[Instruction]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.name for items in wordings.values() for item in items))
