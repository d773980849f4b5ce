"""The tree of means: tasks equally within a category, categories equally overall, whatever is averaged."""

from __future__ import annotations

from statistics import fmean
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.analysis.aggregation import Level, by_level, paper_weights


class Row(NamedTuple):
    name: str
    category: str
    value: float


def mean(_: Level, name: str, below: object) -> Row:
    assert isinstance(below, list | tuple)
    return Row(name, name, fmean(row.value for row in below))


def test_a_category_with_many_tasks_weighs_as_much_as_one_with_a_single_task() -> None:
    rows = [Row("a", "QA", 0.2), Row("b", "QA", 0.4), Row("c", "QA", 0.6), Row("d", "BC", 0.8)]
    levels = by_level(rows, category=lambda row: row.category, combine=mean)
    assert [(row.name, row.value) for row in levels.categories] == [("QA", pytest.approx(0.4)), ("BC", 0.8)]
    assert levels.overall == ("Overall", "Overall", pytest.approx(0.6))
    assert levels.tasks == tuple(rows)


def test_categories_keep_the_order_in_which_tasks_bring_them() -> None:
    rows = [Row("a", "second", 0.0), Row("b", "first", 0.0), Row("c", "second", 0.0)]
    assert [row.name for row in by_level(rows, category=lambda row: row.category, combine=mean).categories] == [
        "second",
        "first",
    ]


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.floats(0, 1)), min_size=1, max_size=12))
def test_weights_say_the_same_as_the_tree(tasks: list[tuple[str, float]]) -> None:
    rows = [Row(str(number), category, value) for number, (category, value) in enumerate(tasks)]
    weights = paper_weights([row.category for row in rows])
    assert sum(weights) == pytest.approx(1)
    overall = by_level(rows, category=lambda row: row.category, combine=mean).overall.value
    assert overall == pytest.approx(sum(weight * row.value for weight, row in zip(weights, rows, strict=True)))
