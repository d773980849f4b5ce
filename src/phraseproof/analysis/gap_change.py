"""How much larger the difference between two groups of wordings is in one run than in another, with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from phraseproof.analysis.statistics import robustness
from phraseproof.errors import NotEnoughDataError

if TYPE_CHECKING:
    from phraseproof.analysis.grids import TaskGrid
    from phraseproof.core import Finding


def gap_change(
    before: Sequence[TaskGrid], after: Sequence[TaskGrid], *, groups: tuple[str, str], seed: int = 0
) -> Finding:
    """The difference of two groups in `after` minus that in `before`, as the paper averages tasks and categories.

    Both runs have the same wordings and examples, so they are resampled together.

    Args:
        before, after: the tasks of two runs at one number of demonstrations, in the same order.
        groups: the reference, and the group whose difference from it is meant.
        seed: of the resampling.

    Returns:
        With the interval over wordings and examples.

    Raises:
        NotEnoughDataError: the runs do not hold the same wordings and examples.
    """
    changes: list[TaskGrid] = []
    if len(before) != len(after):
        raise _other_prompts(f"{len(before)} and {len(after)} tasks")
    for first, second in zip(before, after, strict=True):
        if first.table is None or second.table is None:
            raise _other_prompts(f"{first.task}: scores of single examples are missing")
        if (first.task, first.keys, first.examples) != (second.task, second.keys, second.examples):
            raise _other_prompts(first.task)
        changes.append(second.minus(first))
    (found,) = robustness(changes, group_order=groups, seed=seed)
    return found.overall.differences[groups[1]]


def _other_prompts(got: str) -> NotEnoughDataError:
    return NotEnoughDataError("the two runs do not hold the same wordings and examples", got=got)
