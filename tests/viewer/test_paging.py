"""Pages of rows."""

from __future__ import annotations

import pytest

from phraseproof.viewer.paging import last_page, page_of


@pytest.mark.parametrize(
    ("number", "rows", "expected", "first", "last"),
    [(1, 7, [0, 1, 2], 1, 3), (3, 7, [6], 7, 7), (10**9, 7, [6], 7, 7), (0, 7, [0, 1, 2], 1, 3), (5, 0, [], 0, 0)],
)
def test_a_page(number: int, rows: int, expected: list[int], first: int, last: int) -> None:
    page = page_of(list(range(rows)), number, 3)
    assert list(page.rows) == expected
    assert (page.first_row, page.last_row, page.total) == (first, last, rows)


@pytest.mark.parametrize(("total", "last"), [(0, 1), (3, 1), (4, 2)])
def test_the_last_page(total: int, last: int) -> None:
    assert last_page(total, 3) == last
    assert page_of(range(total), 1, 3).last == last
