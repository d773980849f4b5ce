"""Training pairs of the pocket in which something is not as it should be: targets, labels, wordings, the reference."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.pocket.measures import Asked
from phraseproof.alignment.pairs import ParaphraseSet, pairs_from_task
from phraseproof.core import Example, Instruction, Task
from phraseproof.instructions.collections import instructions_for, load_collection
from phraseproof.pocket.mitigation import KEPT_OUT
from phraseproof.tasks import load_tasks


def with_wrong_targets(pairs: Sequence[ParaphraseSet], share: float, seed: int) -> list[ParaphraseSet]:
    """In this share of the pairs, another option as target, each with the same probability."""
    draw = random.Random(f"wrong targets {seed}")
    wrong = set(draw.sample(range(len(pairs)), round(share * len(pairs))))
    found: list[ParaphraseSet] = []
    for place, pair in enumerate(pairs):
        others = [option for option in pair.options if option != pair.target]
        found.append(replace(pair, target=draw.choice(others)) if place in wrong else pair)
    return found


def with_wrong_labels(asked: Sequence[Asked], share: float, seed: int) -> list[Asked]:
    """The same questions with another option as the right one, in this share of the examples."""
    draw = random.Random(f"wrong labels {seed}")
    places = [(row, column) for row, each in enumerate(asked) for column in range(len(each.task.examples))]
    wrong = set(draw.sample(places, round(share * len(places))))
    found: list[Asked] = []
    for row, each in enumerate(asked):
        examples = list(each.task.examples)
        for column, example in enumerate(examples):
            if (row, column) in wrong:
                examples[column] = with_wrong_label(example, draw)
        found.append(each._replace(task=replace(each.task, examples=tuple(examples))))
    return found


def with_wrong_label(example: Example, draw: random.Random) -> Example:
    """The example with another option as the right one, each with the same probability."""
    right = draw.choice([option for option in range(len(example.choices)) if option != example.target])
    return replace(example, option_scores=tuple(float(option == right) for option in range(len(example.choices))))


def with_few_labels(pairs: Sequence[ParaphraseSet], seed: int) -> list[ParaphraseSet]:
    """One pair of each task keeps its label."""
    draw = random.Random(f"few labels {seed}")
    of_task: defaultdict[str, list[int]] = defaultdict(list)
    for place, pair in enumerate(pairs):
        of_task[pair.task].append(place)
    labelled = {draw.choice(places) for places in of_task.values()}
    return [replace(pair, labelled=place in labelled) for place, pair in enumerate(pairs)]


def pairs_between(
    reference: str, paraphrases: int, seed: int, *, incorrect: int = 0, per_task: int = 12
) -> list[ParaphraseSet]:
    """Pairs of the reference wordings of a collection with some of `pocket-paraphrase`, drawn by seed for each kind.

    Args:
        reference: the collection of the reference wordings.
        paraphrases: of each kind of tasks, from 1 to 12.
        seed: of the draw.
        incorrect: as many more from `pocket-incorrect`, which ask for another attribute; at most 4.
        per_task: the number of pairs per task.
    """
    pairs: list[ParaphraseSet] = []
    for task in load_tasks(["pocket"]):
        if task.name.rpartition("-")[2] not in KEPT_OUT:
            wordings = [
                *_drawn("pocket-paraphrase", task, paraphrases, seed),
                *_drawn("pocket-incorrect", task, incorrect, seed),
            ]
            pairs += pairs_from_task(task, _served(reference, task), wordings, limit=per_task)
    return pairs


def _served(collection: str, task: Task) -> list[Instruction]:
    return list(instructions_for(load_collection(collection), task))


def _drawn(collection: str, task: Task, number: int, seed: int) -> list[Instruction]:
    return random.Random(f"{collection} {task.category} {seed}").sample(_served(collection, task), number)
