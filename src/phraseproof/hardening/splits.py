"""The splits of `harden`: examples and wordings to train on, and others to measure on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from phraseproof.core import Instruction, Task
from phraseproof.errors import UsageError
from phraseproof.instructions.fingerprint import asked_by, fingerprint


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


def split_wordings(wordings: Mapping[str, Sequence[Instruction]], share: float, seed: int) -> frozenset[str]:
    """The keys (`wording_key`) of the wordings to hold out, given each task's wordings.

    A wording is on the same side for all tasks, even if collections give it different names.

    Raises:
        UsageError: a task has too few wordings for two on each side.
    """
    keys = {name: list(dict.fromkeys(wording_key(item) for item in items)) for name, items in wordings.items()}
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


def wording_key(instruction: Instruction) -> str:
    """The fingerprint of what a wording asks, whatever its name."""
    return fingerprint(asked_by(instruction))


def _rank(seed: int, text: str) -> bytes:
    return hashlib.blake2b(f"{seed}\0{text}".encode(), digest_size=16).digest()
