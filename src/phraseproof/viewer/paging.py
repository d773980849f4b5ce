"""A page of many rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some of many rows.

    Attributes:
        rows: of this page.
        number: of the page, from 1.
        size: the most rows of a page.
        total: the number of rows of all pages.
    """

    rows: Sequence[Row]
    number: int
    size: int
    total: int

    @property
    def last(self) -> int:
        """The number of the last page; 1 where there are no rows."""
        return last_page(self.total, self.size)

    @property
    def first_row(self) -> int:
        """The number of the first row of this page, from 1; 0 where there are no rows."""
        return (self.number - 1) * self.size + 1 if self.rows else 0

    @property
    def last_row(self) -> int:
        """The number of the last row of this page."""
        return self.first_row + len(self.rows) - 1 if self.rows else 0


def last_page(total: int, size: int) -> int:
    """The number of the last page."""
    return max(1, -(-total // size))


def page_of(rows: Sequence[Row], number: int, size: int) -> Page[Row]:
    """A page of rows; the last one where there are fewer pages."""
    number = min(max(number, 1), last_page(len(rows), size))
    return Page(rows[(number - 1) * size : number * size], number, size, len(rows))
