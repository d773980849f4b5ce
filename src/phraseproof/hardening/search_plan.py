"""What a search trains on, chooses by and measures on: examples and wordings of every set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from phraseproof.analysis.reductions.judging import MIN_EXAMPLES, MIN_WORDINGS
from phraseproof.core import Instruction, Task
from phraseproof.errors import UsageError
from phraseproof.evaluation.request import EvaluationRequest
from phraseproof.hardening.search_settings import SearchSettings
from phraseproof.hardening.splits import divide_in_three, split_wordings_in_three, wording_key
from phraseproof.identity import content_hash
from phraseproof.instructions.collections import Collection, instructions_for
from phraseproof.models import ModelOptions

_DIGITS = 8


class MeasuredSet(NamedTuple):
    """Examples under wordings that models are measured on.

    Attributes:
        name: of the set, also of its run folders.
        tasks: with these examples only.
        wordings: by task.
        limit: the maximum number of examples per task.
        seed: of the sample.
    """

    name: str
    tasks: tuple[Task, ...]
    wordings: Mapping[str, Sequence[Instruction]]
    limit: int | None
    seed: int

    @property
    def collections(self) -> list[Collection]:
        """All wordings as collections, each wording once."""
        by_name: dict[str, list[Instruction]] = {}
        for item in dict.fromkeys(item for items in self.wordings.values() for item in items):
            by_name.setdefault(item.collection, []).append(item)
        return [Collection(name, tuple(items)) for name, items in by_name.items()]

    def request(self, model: str, options: ModelOptions, prompt_format: str) -> EvaluationRequest:
        """The evaluation of a model on this set."""
        return EvaluationRequest.of(
            model,
            self.tasks,
            {self.name: self.collections},
            limit=self.limit,
            seed=self.seed,
            prompt_format=prompt_format,
            model_options=options,
        )

    @property
    def identity(self) -> str:
        """Differs between sets of different examples or wordings."""
        examples = {task.name: [example.id for example in task.examples] for task in self.tasks}
        wordings = {task: [(item.name, wording_key(item)) for item in items] for task, items in self.wordings.items()}
        return content_hash([self.name, examples, wordings, self.limit, self.seed])[:_DIGITS]


class SearchPlan(NamedTuple):
    """The sets of a search. No example and no wording is in two of `training`, `validation` and `test`.

    Attributes:
        training: examples and wordings to train on.
        refitting: those of training and validation together, for the trainings that are reported.
        validation, test: as their names say.
        unseen: tasks that no training saw, under wordings that none saw; `None` without such tasks.
        check: likewise, to see whether training has made a model forget.
    """

    training: MeasuredSet
    refitting: MeasuredSet
    validation: MeasuredSet
    test: MeasuredSet
    unseen: MeasuredSet | None
    check: MeasuredSet | None

    @property
    def reported(self) -> tuple[MeasuredSet, ...]:
        """The sets that the result is about."""
        return tuple(each for each in (self.test, self.unseen, self.check) if each is not None)


class SearchInput(NamedTuple):
    """What a search is given.

    Attributes:
        tasks: to train on, to choose by and to measure on.
        collections: the wordings to split.
        unseen: tasks that no training sees, measured under wordings of `collections` that none saw.
        check: tasks that show whether training has made a model forget, measured in the same way.
        further: wordings that only `unseen` and `check` use, next to `collections`.
    """

    tasks: Sequence[Task]
    collections: Sequence[Collection]
    unseen: Sequence[Task] = ()
    check: Sequence[Task] = ()
    further: Sequence[Collection] = ()


def plan_search(given: SearchInput, settings: SearchSettings) -> SearchPlan:
    """Split examples and wordings.

    Raises:
        UsageError: too few examples or wordings; a task twice, or both trained on and unseen; a task without options.
    """
    _require_distinct(given)
    _require_options(given)
    if settings.limit is not None and settings.limit < MIN_EXAMPLES:
        raise UsageError(
            "too few examples to be measured on",
            expected=f"at least {MIN_EXAMPLES} test examples per task",
            got=f"{settings.limit}",
            where="--limit",
        )
    thirds = {task.name: divide_in_three(task, settings.example_shares, settings.seed) for task in given.tasks}
    wordings = _wordings(given.tasks, given.collections)
    sides = split_wordings_in_three(wordings, settings.wording_shares, settings.seed)

    def part(
        name: str, tasks: Sequence[Task], of_side: Mapping[str, list[Instruction]], limit: int | None
    ) -> MeasuredSet:
        return MeasuredSet(name, tuple(tasks), of_side, limit, settings.seed)

    def on(*names: str) -> dict[str, list[Instruction]]:
        """By task the wordings of these sides."""
        return {task: [item for item in items if side_of(item) in names] for task, items in wordings.items()}

    def side_of(item: Instruction) -> str:
        key = wording_key(item)
        return "validation" if key in sides.validation else "test" if key in sides.test else "training"

    together = [
        replace(each.training, examples=(*each.training.examples, *each.validation.examples))
        for each in thirds.values()
    ]
    validated = [each.validation for each in thirds.values()]
    seen = {wording_key(item) for items in on("training", "validation").values() for item in items}
    untrained = [*given.collections, *given.further]
    return SearchPlan(
        part("training", [each.training for each in thirds.values()], on("training"), None),
        part("refitting", together, on("training", "validation"), None),
        part("validation", validated, on("validation"), settings.validation_limit),
        part("test", [each.test for each in thirds.values()], on("test"), settings.limit),
        _untrained("unseen", given.unseen, untrained, seen, settings),
        _untrained("check", given.check, untrained, seen, settings),
    )


_OPTIONS = {"unseen": "--unseen-tasks", "check": "--check"}


def _untrained(
    name: str, tasks: Sequence[Task], collections: Sequence[Collection], seen: set[str], settings: SearchSettings
) -> MeasuredSet | None:
    if not tasks:
        return None
    wordings = {
        task: [item for item in items if wording_key(item) not in seen]
        for task, items in _wordings(tasks, collections).items()
    }
    for task in tasks:
        count = len({wording_key(item) for item in wordings[task.name]})
        if count < MIN_WORDINGS or len(task.examples) < MIN_EXAMPLES:
            raise UsageError(
                f"task {task.name!r} has too few wordings or examples to be measured on",
                expected=f"at least {MIN_WORDINGS} wordings that no training sees, and {MIN_EXAMPLES} examples",
                got=f"{count} and {len(task.examples)}",
                where=_OPTIONS[name],
                hint="Name more collections with --further-instructions, which are never trained on",
            )
    return MeasuredSet(name, tuple(tasks), wordings, settings.limit, settings.seed)


def _wordings(tasks: Sequence[Task], collections: Sequence[Collection]) -> dict[str, list[Instruction]]:
    return {task.name: [item for each in collections for item in instructions_for(each, task)] for task in tasks}


def _require_options(given: SearchInput) -> None:
    for task in (*given.tasks, *given.unseen, *given.check):
        if not task.kind.has_options:
            raise UsageError(
                f"task {task.name!r} has no options to choose from, so what a search reports next to training "
                "(calibration, ensembles) does not apply to it",
                expected="tasks with options",
                hint="harden without --methods trains lora+paft on such tasks and measures it on held-out wordings",
            )


def _require_distinct(given: SearchInput) -> None:
    names = [task.name for task in (*given.tasks, *given.unseen, *given.check)]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise UsageError(
            f"task {twice[0]!r} is named twice",
            expected="every task once, in --tasks, --unseen-tasks or --check",
        )
    if not given.tasks:
        raise UsageError("no task is named", where="--tasks")
