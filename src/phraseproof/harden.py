"""The closed loop: measure, train on some wordings, measure again on wordings that training never saw.

Wordings are split into training and held-out ones, examples into training and test ones. A soft prompt (or whatever the
method trains) is fitted to training examples under training wordings; the base model and the hardened one are then
compared on test examples under held-out wordings, and on nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from phraseproof.alignment.loop.log import AlignmentObserver
from phraseproof.alignment.pairs import pairs_from_task
from phraseproof.alignment.pairs.paraphrase_set import ParaphraseSet
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.alignment.trainer import align
from phraseproof.analysis.grids import load_grids
from phraseproof.analysis.paired import compare_runs
from phraseproof.analysis.robustness import summarize
from phraseproof.core import Finding, Instruction, Task
from phraseproof.errors import InstructionError, RunError, UsageError
from phraseproof.evaluation.evaluate import evaluate
from phraseproof.evaluation.observer import Observer, SilentObserver
from phraseproof.instructions.collections import Collection, instructions_for
from phraseproof.instructions.fingerprint import asked_by, fingerprint
from phraseproof.models import ModelOptions
from phraseproof.store.queries import Run

_HELD_OUT = "held-out"


@dataclass(frozen=True, slots=True)
class HardenSettings:
    """How the loop is run.

    Attributes:
        alignment: the training.
        held_out_share: the share of wordings that training never sees, and that alone are reported on.
        training_share: the share of a task's examples to train on, where the task brings none of its own for that.
        max_pairs: at most so many training pairs a task (the paper used some 1,000 in all).
        limit: at most so many test examples a task.
        seed: of the splits and of the interval; the training has its own.
    """

    alignment: AlignmentSettings = field(default_factory=AlignmentSettings)
    held_out_share: float = 0.5
    training_share: float = 0.5
    max_pairs: int | None = 1000
    limit: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for value, option in ((self.held_out_share, "--held-out"), (self.training_share, "--training-share")):
            if not 0 < value < 1:
                raise UsageError("not a share", expected="a number between 0 and 1", got=str(value), where=option)


@dataclass(frozen=True)
class HardenResult:
    """What the loop found.

    Attributes:
        gain: hardened minus base, on held-out wordings and test examples, with its interval: what `phraseproof compare`
            says of the two runs.
        before, after: mean scores of the two runs, as `phraseproof table` has them.
        references: for each task the training wording that the others were drawn towards.
        trained, held_out: the wordings by name.
        base, hardened: the two runs on held-out wordings.
        folder: the adapter, or the model for methods that train all weights.
    """

    gain: Finding
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
        """`helped`, `hurt` or `not shown`, by whether the interval leaves out zero."""
        assert self.gain.low is not None, "two held-out wordings or more give an interval"
        assert self.gain.high is not None, "two held-out wordings or more give an interval"
        if self.gain.low > 0:
            return "helped"
        return "hurt" if self.gain.high < 0 else "not shown"


class Divided(NamedTuple):
    """Two parts of a task's examples; no example is in both."""

    training: Task
    test: Task


def harden(
    model: str,
    tasks: Sequence[Task],
    collections: Sequence[Collection],
    out: Path,
    settings: HardenSettings = HardenSettings(),
    *,
    model_options: ModelOptions = ModelOptions(),
    observers: tuple[Observer | None, AlignmentObserver | None] = (None, None),
) -> HardenResult:
    """Measure, train, and measure again on wordings that training never saw. Stopped, it goes on where it was.

    Args:
        model: a hub id or a folder.
        tasks: what to answer. A task's own demonstrations are trained on where it has any; else its examples are split.
        collections: the wordings to split; each task needs at least two to train on and two to hold out.
        out: gets `base/` and `hardened/` (run folders), `reference/` (the base model on training wordings and training
            examples, where the reference is chosen) and `adapter/` (or a model).

    Raises:
        UsageError: too few wordings or examples, or none of a task's wordings can be trained together.
    """
    observer = observers[0] or SilentObserver()
    divided = {task.name: divide_examples(task, settings.training_share, settings.seed) for task in tasks}
    wordings = {task.name: [item for c in collections for item in instructions_for(c, task)] for task in tasks}
    held_out = split_wordings(wordings, settings.held_out_share, settings.seed)
    training = {name: [item for item in items if _key(item) not in held_out] for name, items in wordings.items()}
    testing = {name: [item for item in items if _key(item) in held_out] for name, items in wordings.items()}

    observer.noted("choosing a reference among the training wordings, on training examples")
    ranking = evaluate(
        model,
        [part.training for part in divided.values()],
        {"training": _collections(training)},
        out / "reference",
        limit=100,
        model_options=model_options,
        observer=observer,
        prompt_format=settings.alignment.prompt_format,
    )
    references: dict[str, str] = {}
    pairs: list[ParaphraseSet] = []
    for name, part in divided.items():
        reference, made = _pairs(part.training, _ranked(ranking, name, training[name]), settings)
        references[name] = reference.name
        pairs += made

    def measure(folder: str, options: ModelOptions, measured: str) -> Run:
        run = evaluate(
            measured,
            [part.test for part in divided.values()],
            {_HELD_OUT: _collections(testing)},
            out / folder,
            limit=settings.limit,
            seed=settings.seed,
            model_options=options,
            observer=observer,
            prompt_format=settings.alignment.prompt_format,
        )
        if run.missing:
            raise RunError(
                f"{len(run.missing)} of {len(run.cells)} cells failed, so nothing can be compared",
                got=run.failures[0].error if run.failures else None,
                where=str(run.path),
                hint="The same command tries them again",
            )
        return run

    observer.noted("measuring the base model on held-out wordings")
    base = measure("base", model_options, model)
    trained = align(
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
        before=_mean(base),
        after=_mean(hardened),
        references=references,
        trained=_names(training),
        held_out=_names(testing),
        base=base,
        hardened=hardened,
        folder=trained.folder,
    )


def divide_examples(task: Task, training_share: float, seed: int) -> Divided:
    """Training and test examples, ranked by a hash of seed, task and id: the same on every machine.

    Raises:
        UsageError: fewer than four examples.
    """
    if task.demonstrations:
        return Divided(replace(task, examples=task.demonstrations, demonstrations=()), task)
    if len(task.examples) < 4:
        raise UsageError(
            f"task {task.name!r} has too few examples to train on some and test on others",
            expected="at least 4",
            got=str(len(task.examples)),
        )
    ranked = sorted(task.examples, key=lambda example: _rank(seed, f"{task.name}\0{example.id}"))
    count = max(2, min(len(ranked) - 2, round(len(ranked) * training_share)))
    chosen = {example.id for example in ranked[:count]}
    train = tuple(example for example in task.examples if example.id in chosen)
    test = tuple(example for example in task.examples if example.id not in chosen)
    return Divided(replace(task, examples=train), replace(task, examples=test))


def split_wordings(wordings: Mapping[str, Sequence[Instruction]], share: float, seed: int) -> frozenset[str]:
    """The keys of the wordings to hold out. A wording, whatever it is called, is on one side for all tasks.

    Raises:
        UsageError: a task has too few wordings for two on each side.
    """
    keys = {name: list(dict.fromkeys(_key(item) for item in items)) for name, items in wordings.items()}
    held_out: set[str] = set()
    training: set[str] = set()
    for of_task in keys.values():
        wanted = max(2, min(len(of_task) - 2, round(len(of_task) * share)))
        for key in sorted(of_task, key=lambda key: _rank(seed, key)):
            if key in held_out | training:
                continue
            side = held_out if len(held_out.intersection(of_task)) < wanted else training
            side.add(key)
    for name, of_task in keys.items():
        sides = [len(side.intersection(of_task)) for side in (training, held_out)]
        if min(sides) < 2:
            raise UsageError(
                f"task {name!r} has too few wordings to train on some and hold out others",
                expected="at least two different ones on each side",
                got=f"{sides[0]} to train on and {sides[1]} to hold out",
                where="--instructions",
            )
    return frozenset(held_out)


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
        hint="Wordings are paired when they write their answers alike: all letters, or all texts",
    ) from problem


def _ranked(run: Run, task: str, wordings: Sequence[Instruction]) -> list[Instruction]:
    scores = {row.instruction: row.mean_score for row in run.wording_scores() if row.task == task}
    return sorted(wordings, key=lambda item: -scores[item.name])


def _collections(wordings: Mapping[str, Sequence[Instruction]]) -> list[Collection]:
    """All wordings once, each serving only the tasks that it was found for."""
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


def _key(instruction: Instruction) -> str:
    return fingerprint(asked_by(instruction))


def _rank(seed: int, text: str) -> bytes:
    return hashlib.blake2b(f"{seed}\0{text}".encode(), digest_size=16).digest()
