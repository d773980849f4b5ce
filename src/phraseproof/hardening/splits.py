"""The splits of `harden`: examples and wordings to train on, to choose by, and to measure on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from phraseproof.core import Example, Instruction, Task
from phraseproof.errors import UsageError
from phraseproof.instructions.fingerprint import asked_by, fingerprint


class Shares(NamedTuple):
    """The shares of training, validation and test, which sum to 1."""

    training: float
    validation: float
    test: float


FEWEST_EXAMPLES = (2, 10, 20)
FEWEST_WORDINGS = (2, 2, 4)
"""The least numbers to train on, to choose by, and to measure on."""


class TaskThirds(NamedTuple):
    """A task with its training examples, with its validation examples and with its test examples. None is in two."""

    training: Task
    validation: Task
    test: Task


class WordingSides(NamedTuple):
    """The keys (`wording_key`) of the wordings to choose by and to measure on. Training has the others."""

    validation: frozenset[str]
    test: frozenset[str]


class TaskSides(NamedTuple):
    """A task with its training examples, and the same task with its test examples. No example is in both."""

    training: Task
    test: Task


def divide_examples(task: Task, training_share: float, seed: int) -> TaskSides:
    """Split a task's examples by a hash of seed, task and id, which is the same on every machine.

    If the task has demonstrations, they are the training examples, and its examples are test examples. Examples with
    equal content are on one side, whatever their ids; those that equal a demonstration are trained on.

    Raises:
        UsageError: fewer than four examples, or too few different ones.
    """
    if not task.demonstrations and len(task.examples) < 4:
        raise UsageError(
            f"task {task.name!r} has too few examples to split into training and test examples",
            expected="at least 4",
            got=str(len(task.examples)),
        )
    ranked = _ranked(task, seed)
    count = max(2, min(len(ranked) - 2, round(len(ranked) * training_share)))
    chosen = ranked[: 0 if task.demonstrations else count]
    test, train = _by_content(task, ranked, {example.id: 1 for example in chosen}, others=0, training=1)
    least = 1 if task.demonstrations else 2
    if len(train) + len(task.demonstrations) < least or len(test) < least:
        raise UsageError(
            f"task {task.name!r} has too few different examples to split into training and test examples",
            expected=f"at least {least} to train on and {least} to measure on, with equal ones on one side",
            got=f"{len(train) + len(task.demonstrations)} and {len(test)}",
        )
    return TaskSides(
        replace(task, examples=(*task.demonstrations, *train), demonstrations=()), replace(task, examples=test)
    )


def divide_in_three(task: Task, shares: Shares, seed: int) -> TaskThirds:
    """Split a task's examples by a hash of seed, task and id, which is the same on every machine.

    Its demonstrations are trained on, and count as a part of the training's share. Examples with equal content are in
    one set, whatever their ids.

    Raises:
        UsageError: too few different examples for the least numbers of `FEWEST_EXAMPLES`.
    """
    demonstrations = task.demonstrations
    fewest_training, fewest_validation, fewest_test = FEWEST_EXAMPLES
    free = len(task.examples) - max(0, fewest_training - len(demonstrations))
    if free < fewest_validation + fewest_test:
        raise UsageError(
            f"task {task.name!r} has too few examples for three sets",
            expected=f"at least {fewest_training} to train on, {fewest_validation} to choose by and {fewest_test} to "
            "measure on",
            got=f"{len(task.examples)} examples and {len(demonstrations)} demonstrations, which can only be trained on",
        )
    total = len(task.examples) + len(demonstrations)
    test = max(fewest_test, round(shares.test * total))
    validation = max(fewest_validation, round(shares.validation * total))
    if test + validation > free:
        test = round(free * shares.test / (shares.test + shares.validation))
        test = max(fewest_test, min(free - fewest_validation, test))
        validation = free - test
    ranked = _ranked(task, seed)
    sides = {example.id: 0 if place < test else 1 for place, example in enumerate(ranked[: test + validation])}
    of_test, of_validation, of_training = _by_content(task, ranked, sides, others=2, training=2)
    sizes = [len(demonstrations) + len(of_training), len(of_validation), len(of_test)]
    if any(size < fewest for size, fewest in zip(sizes, FEWEST_EXAMPLES, strict=True)):
        raise UsageError(
            f"task {task.name!r} has too few different examples for three sets",
            expected=f"at least {fewest_training} to train on, {fewest_validation} to choose by and {fewest_test} to "
            "measure on, with equal ones in one set",
            got=f"{sizes[0]}, {sizes[1]} and {sizes[2]}",
        )
    return TaskThirds(
        replace(task, examples=(*demonstrations, *of_training), demonstrations=()),
        replace(task, examples=of_validation),
        replace(task, examples=of_test),
    )


def _ranked(task: Task, seed: int) -> list[Example]:
    return sorted(task.examples, key=lambda example: _rank(seed, f"{task.name}\0{example.id}"))


def _by_content(
    task: Task, ranked: Sequence[Example], sides: Mapping[str, int], *, others: int, training: int
) -> list[tuple[Example, ...]]:
    """A task's examples on each side, in their order; equal ones are on the side of the first of them in rank.

    Args:
        task: its demonstrations are trained on, and so are examples that equal one of them.
        ranked: its examples in the order of the draw.
        sides: of examples by id; `others` is the side of those that are not in it.
        others, training: numbers of sides.
    """
    side_of = {_content(example): training for example in task.demonstrations}
    for example in ranked:
        side_of.setdefault(_content(example), sides.get(example.id, others))
    found: list[list[Example]] = [[] for _ in range(1 + max(others, training, *sides.values()))]
    for example in task.examples:
        found[side_of[_content(example)]].append(example)
    return [tuple(of_side) for of_side in found]


def _content(example: Example) -> str:
    return repr((sorted(example.fields.items()), example.choices))


def first_examples(task: Task, count: int, seed: int) -> tuple[Example, ...]:
    """At most this number of a task's examples, in their order; a smaller number is a part of a larger one."""
    chosen = {example.id for example in _ranked(task, seed)[:count]}
    return tuple(example for example in task.examples if example.id in chosen)


def split_wordings(wordings: Mapping[str, Sequence[Instruction]], share: float, seed: int) -> frozenset[str]:
    """The keys (`wording_key`) of the wordings to hold out, given each task's wordings.

    A wording is on the same side for all tasks, even if collections give it different names.

    Raises:
        UsageError: a task has too few wordings for two on each side.
    """

    def wanted(count: int) -> list[int]:
        return [max(2, min(count - 2, round(count * share)))]

    keys = _keys(wordings)
    held_out, training = _assigned(keys, wanted, seed)
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


def split_wordings_in_three(wordings: Mapping[str, Sequence[Instruction]], shares: Shares, seed: int) -> WordingSides:
    """Split each task's wordings. A wording is on the same side for all tasks, even if names differ.

    Raises:
        UsageError: a task has too few wordings for the least numbers of `FEWEST_WORDINGS`.
    """
    fewest_training, fewest_validation, fewest_test = FEWEST_WORDINGS

    def wanted(count: int) -> list[int]:
        test = max(fewest_test, min(count - fewest_training - fewest_validation, round(count * shares.test)))
        validation = max(fewest_validation, min(count - test - fewest_training, round(count * shares.validation)))
        return [test, validation]

    keys = _keys(wordings)
    test, validation, training = _assigned(keys, wanted, seed)
    for name, of_task in keys.items():
        sides = [len(side.intersection(of_task)) for side in (training, validation, test)]
        if any(count < fewest for count, fewest in zip(sides, FEWEST_WORDINGS, strict=True)):
            raise UsageError(
                f"task {name!r} has too few wordings for three sets",
                expected=f"at least {fewest_training} different ones to train on, {fewest_validation} to choose by and "
                f"{fewest_test} to measure on",
                got=f"{len(of_task)}, split into {sides[0]}, {sides[1]} and {sides[2]}",
                where="--instructions",
            )
    return WordingSides(frozenset(validation), frozenset(test))


def _keys(wordings: Mapping[str, Sequence[Instruction]]) -> dict[str, list[str]]:
    return {name: list(dict.fromkeys(wording_key(item) for item in items)) for name, items in wordings.items()}


def _assigned(keys: Mapping[str, Sequence[str]], wanted: Callable[[int], Sequence[int]], seed: int) -> list[set[str]]:
    """Every key on one side: sides are filled in order for one task after the other; the last one takes the rest.

    Args:
        keys: of each task its wordings.
        wanted: how many wordings each side but the last one gets, given their number.
        seed: of the draw.
    """
    sides: list[set[str]] = [set() for _ in range(len(wanted(0)) + 1)]
    for of_task in keys.values():
        targets = wanted(len(of_task))
        for key in sorted(of_task, key=lambda key: _rank(seed, key)):
            if any(key in side for side in sides):
                continue
            lacking = (
                side for side, count in zip(sides, targets, strict=False) if len(side.intersection(of_task)) < count
            )
            next(lacking, sides[-1]).add(key)
    return sides


def wording_key(instruction: Instruction) -> str:
    """The fingerprint of what a wording asks, whatever its name."""
    return fingerprint(asked_by(instruction))


def _rank(seed: int, text: str) -> bytes:
    return hashlib.blake2b(f"{seed}\0{text}".encode(), digest_size=16).digest()
