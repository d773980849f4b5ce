"""A share of the grid: which (wording, example) cells a budget buys, in balanced order (PromptEval, Polo et al. 2024).

The order is a pure function of the grid's size and the seed, and a larger budget buys all that a smaller one does and
more. Stored outcomes are reused by example, so a larger budget computes only what is new.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from phraseproof.evaluation.plan import PlannedCell
from phraseproof.identity import content_hash

_SUBSET_DIGITS = 8


def choose_cells(num_wordings: int, num_examples: int, count: int, seed: int) -> list[list[int]]:
    """The first `count` cells of the grid in balanced order, as each wording's example indices, ascending.

    Wordings take turns; each takes the next example of a shuffled pass over all examples that it does not have yet. So
    at any time wordings differ by at most one cell, and an example has been used about as often as any other: passes
    are used up before a new one begins, except for what a wording must skip because it has it already.

    Args:
        num_wordings, num_examples: the grid's size.
        count: how many cells; all of them at most.
        seed: of the shuffles.

    Returns:
        One list a wording. The lists of a smaller count are parts of those of a larger one.
    """
    draw = np.random.default_rng([seed, num_wordings, num_examples])
    chosen: list[set[int]] = [set() for _ in range(num_wordings)]
    passes: deque[deque[int]] = deque()
    for turn in range(min(count, num_wordings * num_examples)):
        mine = chosen[turn % num_wordings]
        mine.add(_take(passes, mine, draw, num_examples))
    return [sorted(members) for members in chosen]


def _take(passes: deque[deque[int]], mine: set[int], draw: np.random.Generator, num_examples: int) -> int:
    """The first example of the earliest pass that is not in `mine`; it leaves its pass."""
    number = 0
    while True:
        if number == len(passes):
            passes.append(deque(draw.permutation(num_examples).tolist()))
        found = next((example for example in passes[number] if example not in mine), None)
        if found is not None:
            passes[number].remove(found)
            if not passes[number]:
                del passes[number]
            return found
        number += 1


def take_share(planned: Sequence[PlannedCell], share: float, seed: int) -> list[PlannedCell]:
    """The cells of a plan with only the examples that a budget buys; every wording gets at least one.

    Each task, at each number of demonstrations, is a separate grid. A part's identity is that of the whole cell with
    a hash of the chosen examples after it: a part is never taken for the whole, and its outcomes can be reused by
    other parts of the same whole.

    Args:
        planned: whole cells, in the plan's order.
        share: the fraction of each grid, above 0 and up to 1; 1 changes nothing.
        seed: of the choice.
    """
    chosen: dict[int, list[int]] = {}
    planes: dict[tuple[str, int], list[int]] = {}
    for place, each in enumerate(planned):
        planes.setdefault((each.cell.task, each.cell.num_fewshot), []).append(place)
    for places in planes.values():
        num_examples = len(planned[places[0]].task.examples)
        # A product such as 0.07 * 100 may be slightly above the whole number that is meant.
        count = max(len(places), math.ceil(share * len(places) * num_examples - 1e-9))
        chosen |= dict(zip(places, choose_cells(len(places), num_examples, count, seed), strict=True))
    return [part_of(each, chosen[place]) for place, each in enumerate(planned)]


def part_of(planned: PlannedCell, examples: Sequence[int]) -> PlannedCell:
    """A whole cell with some of its examples only, by their ascending places; the cell itself for all of them."""
    whole = planned.task.examples
    if len(examples) == len(whole):
        return planned
    some = tuple(whole[index] for index in examples)
    subset = content_hash([example.id for example in some])[:_SUBSET_DIGITS]
    cell = replace(
        planned.cell,
        identity=f"{planned.cell.identity}_{subset}",
        num_examples=len(some),
        grid_examples=len(whole),
    )
    # Demonstrations may still come from all of the task's examples.
    task = replace(planned.task, examples=some, demonstrations=planned.task.demonstrations or whole)
    return PlannedCell(cell, task, planned.wording)
