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

    If the task has demonstrations, they are the training examples, and all its examples are test examples.

    Raises:
        UsageError: fewer than four examples.
    """
    if task.demonstrations:
        return TaskSides(replace(task, examples=task.demonstrations, demonstrations=()), task)
    if len(task.examples) < 4:
        raise UsageError(
            f"task {task.name!r} has too few examples to split into training and test examples",
            expected="at least 4",
            got=str(len(task.examples)),
        )
    ranked = sorted(task.examples, key=lambda example: _rank(seed, f"{task.name}\0{example.id}"))
    count = max(2, min(len(ranked) - 2, round(len(ranked) * training_share)))
    chosen = {example.id for example in ranked[:count]}
    train = tuple(example for example in task.examples if example.id in chosen)
    test = tuple(example for example in task.examples if example.id not in chosen)
    return TaskSides(replace(task, examples=train), replace(task, examples=test))


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
    ranked = sorted(task.examples, key=lambda example: _rank(seed, f"{task.name}\0{example.id}"))
    sides = {example.id: 0 if place < test else 1 for place, example in enumerate(ranked[: test + validation])}
    side_of = {_content(example): 2 for example in demonstrations}
    for example in ranked:
        side_of.setdefault(_content(example), sides.get(example.id, 2))
    in_order: list[list[Example]] = [[], [], []]
    for example in task.examples:
        in_order[side_of[_content(example)]].append(example)
    sizes = [len(demonstrations) + len(in_order[2]), len(in_order[1]), len(in_order[0])]
    if any(size < fewest for size, fewest in zip(sizes, FEWEST_EXAMPLES, strict=True)):
        raise UsageError(
            f"task {task.name!r} has too few different examples for three sets",
            expected=f"at least {fewest_training} to train on, {fewest_validation} to choose by and {fewest_test} to "
            "measure on, with equal ones in one set",
            got=f"{sizes[0]}, {sizes[1]} and {sizes[2]}",
        )
    of_test, of_validation, of_training = map(tuple, in_order)
    return TaskThirds(
        replace(task, examples=(*demonstrations, *of_training), demonstrations=()),
        replace(task, examples=of_validation),
        replace(task, examples=of_test),
    )


def _content(example: Example) -> str:
    return repr((sorted(example.fields.items()), example.choices))


def first_examples(task: Task, count: int, seed: int) -> tuple[Example, ...]:
    """At most this number of a task's examples, in their order; a smaller number is a part of a larger one."""
    ranked = sorted(task.examples, key=lambda example: _rank(seed, f"{task.name}\0{example.id}"))
    chosen = {example.id for example in ranked[:count]}
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
