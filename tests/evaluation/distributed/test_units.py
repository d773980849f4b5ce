"""The division of a plan: everything once, no unit too large, and prompts with common beginnings together."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from phraseproof.evaluation.distributed.units import (
    LARGEST_TOKENS,
    SMALLEST_TOKENS,
    CellWork,
    Unit,
    compact,
    divide,
    unit_limit,
)


def cell(place: int, count: int, opening: str, *, task: str = "t", tokens: float = 10.0, first: int = 0) -> CellWork:
    return CellWork(place, task, range(first, first + count), tokens, opening)


def tokens_of(unit: Unit, cells: list[CellWork]) -> float:
    tokens = {each.place: each.tokens for each in cells}
    return sum(tokens[part.cell] * len(part.examples) for part in unit)


@st.composite
def plans(draw: st.DrawFn) -> list[CellWork]:
    found: list[CellWork] = []
    for place in range(draw(st.integers(1, 12))):
        examples = sorted(draw(st.sets(st.integers(0, 30), max_size=20)))
        opening = draw(st.sampled_from(["the input, then a", "the input, then b", "Wording one", "Else", ""]))
        found.append(CellWork(place, f"t{place // 5}", compact(examples), draw(st.floats(1, 50)), opening))
    return found


@given(plans(), st.floats(20, 2000))
def test_each_example_is_in_one_unit_and_no_unit_is_too_large(cells: list[CellWork], limit: float) -> None:
    units = divide(cells, limit)
    found = Counter((part.cell, place) for unit in units for part in unit for place in part.examples)
    assert found == Counter((each.place, place) for each in cells for place in each.examples)
    for unit in units:
        assert unit
        assert len({part.cell for part in unit}) == len(unit)
        assert len({cells[part.cell].task for part in unit}) == 1
        # Examples cannot be divided evenly where cells lack different ones; never more than twice the limit then.
        is_whole = all(len(part.examples) == 1 for part in unit)
        assert is_whole or tokens_of(unit, cells) <= 2 * limit + 50 * len(unit)


def test_small_cells_of_one_task_share_a_unit() -> None:
    cells = [cell(n, 10, f"{n} a wording of its kind") for n in range(5)] + [cell(5, 10, "x", task="u")]
    units = divide(cells, 300)
    assert [[part.cell for part in unit] for unit in units] == [[0, 1, 2], [3, 4], [5]]
    assert all(part.examples == range(10) for unit in units for part in unit)


def test_a_large_cell_is_divided_by_examples() -> None:
    units = divide([cell(0, 100, "a")], 300)
    assert [list(part.examples) for unit in units for part in unit] == [
        list(range(25)),
        list(range(25, 50)),
        list(range(50, 75)),
        list(range(75, 100)),
    ]


def test_wordings_after_the_input_are_divided_by_examples_together() -> None:
    """Cells 0, 2 and 4 begin with the example; 1 and 3 with their wordings."""
    after = "A long text that each prompt begins with. "
    openings = [after + "a", "Wording one: x", after + "b", "Another two: x", after + "c"]
    cells = [cell(n, 20, opening) for n, opening in enumerate(openings)]
    units = divide(cells, 210)
    of_input = [unit for unit in units if unit[0].cell % 2 == 0]
    assert [[part.cell for part in unit] for unit in of_input] == [[0, 2, 4]] * 3
    assert [list(unit[0].examples) for unit in of_input] == [list(range(6)), list(range(6, 13)), list(range(13, 20))]
    assert all(part.examples == unit[0].examples for unit in of_input for part in unit)
    assert sorted(unit[0].cell for unit in units if unit not in of_input) == [1, 3]


def test_many_wordings_of_one_example_are_divided_by_wordings() -> None:
    cells = [cell(n, 1, "The same input. " * 3 + str(n)) for n in range(64)]
    units = divide(cells, 100)
    assert {len(unit) for unit in units} == {8}


def test_the_limit_depends_on_the_plan_alone_and_has_bounds() -> None:
    assert unit_limit([cell(0, 10, "a")]) == SMALLEST_TOKENS
    assert unit_limit([cell(0, 640_000, "a")]) == 100_000
    assert unit_limit([cell(0, 10**9, "a")]) == LARGEST_TOKENS


def test_places_without_gaps_are_a_range() -> None:
    assert compact([3, 4, 5]) == range(3, 6)
    assert compact([3, 5]) == [3, 5]
    assert compact([]) == []
