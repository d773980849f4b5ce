"""The result table: one row per estimate, whatever computed it.

`table`, `analyze`, `compare` and estimates of a run with a budget all come as this table. What differs between them is
data in its rows: `statistic` says what was estimated, `method` how, `low` and `high` hold the interval where there is
one. Values are in the row's `unit`: an accuracy of 0.481 is 48.1 with the unit "%", a difference of two is in "points".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from html import escape
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, overload

from phraseproof.analysis.aggregation import Level
from phraseproof.errors import MissingExtraError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

WORDING: Final = "wording"
"""The level below tasks."""

RowLevel: TypeAlias = Level | Literal["wording"]

NUMBER_HEADINGS = frozenset({"estimate", "95% interval", "p", "num_fewshot"})
"""Columns of `readable_cells` that are aligned right."""

_SHOWN_ROWS = 18
"""A terminal of 24 lines holds these, the heading, the last lines and a prompt."""

_SHOWN_WIDTH = 100
_SHOWN_ROWS_HTML = 60
_WIDEST_CELL = 32
_ELLIPSIS = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """One estimate. What it does not have is left out.

    Attributes:
        run: the run folder.
        num_fewshot: demonstrations per prompt.
        scoring: the scorer that chose the answers.
        level: what the row is about: a wording, a task, a category of tasks, or everything.
        category, task: empty above that level.
        group: the group of wordings; empty for all groups together.
        wording: `collection/id`; empty above the level of wordings.
        statistic: what was estimated: `mean`, `std`, `worst`, `difference from observed`, ...
        estimate: in `unit`.
        low, high: the 95% interval, where the method gives one.
        p_value: where the method is a test.
        n: the number of observations behind the estimate; `None` where it is not known.
        method: how the estimate and its interval were computed.
        unit: `%`, `points` for differences of percentages, another metric's unit, or empty.
    """

    run: str
    num_fewshot: int = 0
    scoring: str = ""
    level: RowLevel
    category: str = ""
    task: str = ""
    group: str = ""
    wording: str = ""
    statistic: str
    estimate: float
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    n: int | None = None
    method: str
    unit: str


COLUMNS = tuple(field.name for field in fields(ResultRow))
"""The names of the columns, in order; other versions may add columns at the end."""


@dataclass(frozen=True, repr=False)
class ResultTable(Sequence[ResultRow]):
    """Estimates, one per row.

    It is a sequence of `ResultRow`, prints as a table that fits a screen, and shows as HTML in notebooks.

    Attributes:
        rows: in the order in which they are shown.
        notes: what a reader must know to interpret the numbers.
    """

    rows: tuple[ResultRow, ...]
    notes: tuple[str, ...] = ()

    @overload
    def __getitem__(self, index: int) -> ResultRow: ...

    @overload
    def __getitem__(self, index: slice) -> ResultTable: ...

    def __getitem__(self, index: int | slice) -> ResultRow | ResultTable:
        if isinstance(index, slice):
            return ResultTable(self.rows[index], self.notes)
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[ResultRow]:
        return iter(self.rows)

    def select(
        self,
        *,
        level: str | None = None,
        category: str | None = None,
        task: str | None = None,
        group: str | None = None,
        wording: str | None = None,
        statistic: str | None = None,
    ) -> ResultTable:
        """Return the rows whose columns have the given values. Columns that are not given do not matter.

        Args:
            level: `wording`, `task`, `category` or `overall`.
            category: a category's name.
            task: a task's name.
            group: a group's name; the empty string for all groups together.
            wording: `collection/id`.
            statistic: as in the column.
        """
        wanted = {
            "level": level,
            "category": category,
            "task": task,
            "group": group,
            "wording": wording,
            "statistic": statistic,
        }
        asked = {name: value for name, value in wanted.items() if value is not None}
        kept = (row for row in self.rows if all(getattr(row, name) == value for name, value in asked.items()))
        return ResultTable(tuple(kept), self.notes)

    @property
    def title(self) -> str:
        """The run, the number of demonstrations and the scoring, where these are the same in every row; else empty."""
        sources = {f"{row.run}, {row.num_fewshot}-shot, {row.scoring}" for row in self.rows}
        return sources.pop() if len(sources) == 1 else ""

    def to_dicts(self) -> list[dict[str, str | int | float | None]]:
        """Return the rows as plain data: a dictionary by column name per row."""
        return [{**asdict(row), "level": str(row.level)} for row in self.rows]

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows as a pandas data frame.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("A pandas data frame", extra="dataframe", package="pandas") from None
        return pd.DataFrame(self.to_dicts(), columns=list(COLUMNS))

    def to_polars(self) -> pl.DataFrame:
        """Return the rows as a Polars data frame.

        Raises:
            MissingExtraError: polars is not installed.
        """
        try:
            import polars as pl
        except ImportError:
            raise MissingExtraError("A Polars data frame", extra="dataframe", package="polars") from None
        kinds: dict[str, type[pl.Int64 | pl.Float64]] = {"num_fewshot": pl.Int64, "n": pl.Int64}
        kinds |= dict.fromkeys(("estimate", "low", "high", "p_value"), pl.Float64)
        schema = {name: kinds.get(name, pl.String) for name in COLUMNS}
        return pl.DataFrame(self.to_dicts(), schema=schema)

    def __repr__(self) -> str:
        """At most 24 lines of 100 columns; columns that are the same in every row are left out."""
        lines = readable_lines(self.rows[:_SHOWN_ROWS], widest=_WIDEST_CELL)
        hidden = len(self.rows) - _SHOWN_ROWS
        if hidden > 0:
            lines.append(f"{_ELLIPSIS} {hidden:,} more rows; .to_pandas() or .to_dicts() has all")
        lines.append(_footer(self) if self.rows else "ResultTable: no rows")
        return "\n".join(_cut(line, _SHOWN_WIDTH) for line in lines)

    def _repr_html_(self) -> str:
        """Show the table in a notebook; every text is escaped."""
        headings, cells = readable_cells(self.rows[:_SHOWN_ROWS_HTML], widest=_WIDEST_CELL)
        head = "".join(f"<th>{escape(name)}</th>" for name in headings)
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in cells)
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        hidden = len(self.rows) - len(cells)
        more = f"<p>{hidden:,} more rows</p>" if hidden else ""
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"{table}{more}<p>{escape(_footer(self))}</p>{f'<ul>{notes}</ul>' if notes else ''}"


def joined(tables: Iterable[ResultTable]) -> ResultTable:
    """The rows of several tables, one after the other, with each note once."""
    found = list(tables)
    notes = dict.fromkeys(note for table in found for note in table.notes)
    return ResultTable(tuple(row for table in found for row in table.rows), tuple(notes))


def format_value(value: float | None, unit: str) -> str:
    """A value as tables for people print it: one decimal for percent and points, three significant digits otherwise."""
    if value is None:
        return ""
    return f"{value:.1f}" if unit in {"%", "points"} else f"{value:.3g}"


def readable_cells(rows: Sequence[ResultRow], *, widest: int | None = None) -> tuple[list[str], list[list[str]]]:
    """The headings and the cells of rows for people: no columns that are the same everywhere.

    Args:
        rows: in the order in which they are shown.
        widest: cut names to this many characters.
    """
    if not rows:
        return [], []
    names = ["level", "category", "task", "group", "wording", "statistic"]
    if len({(row.run, row.num_fewshot, row.scoring) for row in rows}) > 1:
        names = ["run", "num_fewshot", "scoring", *names]
    names = [name for name in names if len(rows) == 1 or len({getattr(row, name) for row in rows}) > 1] or names[-1:]
    if "task" in names and "category" in names:
        names.remove("category")
    headings = [*names, "estimate", "95% interval", "unit"]
    if any(row.p_value is not None for row in rows):
        headings.append("p")
    return headings, [_row_cells(row, names, has_p="p" in headings, widest=widest) for row in rows]


def readable_lines(rows: Sequence[ResultRow], *, widest: int | None = None) -> list[str]:
    """Rows as aligned lines of text under their headings, as `readable_cells` has them; no lines without rows."""
    if not rows:
        return []
    headings, cells = readable_cells(rows, widest=widest)
    return _aligned(headings, cells)


def _row_cells(row: ResultRow, names: Sequence[str], *, has_p: bool, widest: int | None) -> list[str]:
    places = {"task": row.task or row.category}
    cells = [" ".join(str(places.get(name, getattr(row, name))).split()) for name in names]
    if widest is not None:
        cells = [_cut(cell, widest) for cell in cells]
    interval = ""
    if row.low is not None and row.high is not None:
        interval = f"{format_value(row.low, row.unit)} to {format_value(row.high, row.unit)}"
    cells += [format_value(row.estimate, row.unit), interval, row.unit]
    if has_p:
        cells.append("" if row.p_value is None else "< 0.001" if row.p_value < 0.001 else f"{row.p_value:.3f}")
    return [_printable(cell) for cell in cells]


def _aligned(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if name in NUMBER_HEADINGS else cell.ljust(width)
            for name, cell, width in zip(headings, line, widths, strict=True)
        ).rstrip()
        for line in (headings, *cells)
    ]


def _footer(table: ResultTable) -> str:
    count = f"{len(table.rows):,} row{'' if len(table.rows) == 1 else 's'}"
    if table.title:
        count = f"{count}: {_printable(table.title)}"
    return f"{count}; {len(table.notes)} notes in .notes" if table.notes else count


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + _ELLIPSIS


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
