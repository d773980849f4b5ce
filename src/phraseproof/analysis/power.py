"""The parts of the variance of scores, and the numbers of wordings and examples that detect a difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.distributions import noncentral_t_sf, t_quantile
from phraseproof.analysis.grids import TaskGrid
from phraseproof.errors import NotEnoughDataError, UsageError

LEVEL = 0.05
POWER = 0.8
EXAMPLES = (50, 100, 200, 500, 1000, 2000, 5000)
MAX_WORDINGS = 1000


class VarianceComponents(NamedTuple):
    """The variance of a single score, split; means over tasks, in squared units of the score.

    Attributes:
        wording: how far wordings differ on infinitely many examples.
        example: how far examples differ under infinitely many wordings.
        interaction: which examples go with which wordings. A model's answer under one wording is deterministic, so the
            remainder is interaction.
        num_tasks: the number of tasks.
        num_sets: different sets of wordings among those tasks; 1 where the same wordings serve all of them.
    """

    wording: float
    example: float
    interaction: float
    num_tasks: int
    num_sets: int

    @property
    def shares(self) -> tuple[float, float, float]:
        """The three as shares of their sum; zeros where no score differs."""
        total = self.wording + self.example + self.interaction
        return (self.wording / total, self.example / total, self.interaction / total) if total > 0 else (0.0, 0.0, 0.0)


class Design(StrEnum):
    """What is compared.

    `groups`: two groups of different wordings on the same examples, so that what examples have in common cancels.
    `runs`: two models on the same wordings and examples; the components are those of the differences.
    """

    GROUPS = "groups"
    RUNS = "runs"


class RequiredSize(NamedTuple):
    """The power with which a number of wordings (per group) and examples (per task) detect the difference."""

    wordings: int
    examples: int
    power: float


def variance_components(grids: Sequence[TaskGrid], group: str) -> VarianceComponents:
    """Wording, example and interaction by a two-way random-effects analysis of variance on each task.

    Estimates below zero count as zero.

    Raises:
        NotEnoughDataError: no task has two wordings of the group with outcomes of two examples.
    """
    found: list[tuple[float, float, float]] = []
    sets: set[frozenset[str]] = set()
    for grid in grids:
        rows = grid.rows(group)
        if grid.table is None or len(rows) < 2 or grid.table.shape[1] < 2:
            continue
        sets.add(frozenset(grid.keys[row] for row in rows))
        table = grid.table.take(rows)
        wordings, examples = table.shape
        by_wording, by_example = table.of_wordings(), table.of_examples()
        squares = 0.0
        for part, scores in table.by_wordings():
            left = scores - by_wording[part, None] - by_example + by_wording.mean()
            squares += float(np.square(left).sum())
        residual = squares / ((wordings - 1) * (examples - 1))
        of_wording = float(np.var(by_wording, ddof=1)) - residual / examples
        of_example = float(np.var(by_example, ddof=1)) - residual / wordings
        found.append((max(0.0, of_wording), max(0.0, of_example), residual))
    if not found:
        raise NotEnoughDataError("variance components need two wordings and outcomes of two examples", got=group)
    wording, example, interaction = np.mean(found, axis=0)
    return VarianceComponents(float(wording), float(example), float(interaction), len(found), len(sets))


def power(
    components: VarianceComponents,
    difference: float,
    *,
    wordings: int,
    examples: int,
    design: Design = Design.GROUPS,
) -> float:
    """The probability that a two-sided test at 5% detects a true difference of means.

    Args:
        components: of one group's scores (`groups`), or of the differences between the runs (`runs`). The mean is
            taken over its tasks; wordings that serve several tasks are taken to be as good or bad on all of them.
        difference: the true difference, above 0, in the scores' unit.
        wordings: in each group, on each task.
        examples: of each task.

    Raises:
        UsageError: a size is too small, or the difference is not a number above 0.
        NotEnoughDataError: a component is not a finite number.
    """
    if not 0 < difference < math.inf:
        raise UsageError("a difference to see must be above 0", got=str(difference))
    if wordings < 2 or examples < 2:
        raise UsageError("power needs at least two wordings and two examples", got=f"{wordings} and {examples}")
    tasks, sets = components.num_tasks, components.num_sets
    of_wordings = components.wording / wordings / sets + components.interaction / (wordings * examples * tasks)
    freedom = float(wordings - 1) * sets
    if design is Design.GROUPS:
        variance, freedom = 2 * of_wordings, 2 * freedom
    else:
        of_examples = components.example / examples / tasks
        variance = of_wordings + of_examples
        # The two sources are known with different certainty (Satterthwaite).
        parts = ((of_wordings, freedom), (of_examples, float(examples - 1) * tasks))
        total = sum(part**2 / known for part, known in parts)
        freedom = variance**2 / total if total > 0 else freedom
    if variance <= 0:
        return 1.0
    shift = difference / math.sqrt(variance)
    limit = t_quantile(1 - LEVEL / 2, freedom)
    return min(1.0, noncentral_t_sf(limit, freedom, shift) + noncentral_t_sf(limit, freedom, -shift))


def sizes_for(
    components: VarianceComponents,
    difference: float,
    *,
    design: Design = Design.GROUPS,
    examples: Sequence[int] = EXAMPLES,
    target: float = POWER,
) -> tuple[RequiredSize, ...]:
    """For each number of examples the fewest wordings that detect the difference with the given power. Numbers of
    examples for which 1,000 wordings are too few are left out.

    Raises:
        UsageError: as `power`.
    """
    found: list[RequiredSize] = []
    for count in examples:
        low, high = 2, MAX_WORDINGS
        reached = power(components, difference, wordings=high, examples=count, design=design)
        if reached < target:
            continue
        while low < high:
            middle = (low + high) // 2
            if power(components, difference, wordings=middle, examples=count, design=design) >= target:
                high = middle
            else:
                low = middle + 1
        reached = power(components, difference, wordings=low, examples=count, design=design)
        found.append(RequiredSize(low, count, reached))
    return tuple(found)
