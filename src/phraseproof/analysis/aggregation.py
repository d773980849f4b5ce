"""The one aggregation of this package: wordings into tasks, tasks into categories, categories into one number.

The paper (section 4.2, Table 3) weighs tasks equally within a category and categories equally overall, whatever is
averaged: mean scores, standard deviations, differences, posterior draws. `by_level` holds that tree, and its callers
say how rows are combined. `paper_weights` is the same rule as weights of tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Generic, NamedTuple, Protocol, TypeVar

OVERALL = "Overall"
"""The name of the row above all categories."""


class Level(StrEnum):
    """What a row is about: one task, one category of tasks, or everything."""

    TASK = "task"
    CATEGORY = "category"
    OVERALL = "overall"


T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)


class Levels(NamedTuple, Generic[T]):
    """Rows of the three levels above wordings; categories in the order in which tasks bring them."""

    tasks: tuple[T, ...]
    categories: tuple[T, ...]
    overall: T


class Combine(Protocol[T_contra, R_co]):
    """Makes a row from the rows one level below it."""

    def __call__(self, level: Level, name: str, below: Sequence[T_contra], /) -> R_co:
        """The row `name` of `level`."""
        ...


def by_level(tasks: Sequence[T], *, category: Callable[[T], str], combine: Combine[T, T]) -> Levels[T]:
    """Combine tasks into categories, and categories into the overall row.

    Args:
        tasks: one row per task; at least one.
        category: the category of a task's row.
        combine: makes a category's row of its tasks' rows, and the overall row of the categories' rows.
    """
    categories = tuple(
        combine(Level.CATEGORY, name, [task for task in tasks if category(task) == name])
        for name in dict.fromkeys(map(category, tasks))
    )
    return Levels(tuple(tasks), categories, combine(Level.OVERALL, OVERALL, categories))


def paper_weights(categories: Sequence[str]) -> list[float]:
    """The weight of each task in the overall mean, given the tasks' categories; the weights sum to 1."""
    distinct = set(categories)
    return [1 / len(distinct) / categories.count(category) for category in categories]
